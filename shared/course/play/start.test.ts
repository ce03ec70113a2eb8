// The doors of the course: what they say when they are used wrongly, and that they need no gen/.

import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { diffSteps } from "../author/step-diff.ts";
import { courseRoot, listSteps } from "../steps.ts";
import { Program } from "./programs.ts";
import { Workspace } from "./workspace.ts";

async function run(root: string, file: string, ...args: string[]) {
  const program = new Program({
    file: process.execPath,
    args: ["--import", "tsx/esm", join(root, "shared", "course", file), ...args],
    cwd: root,
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  try {
    assert.ok(await program.ends(60_000), `still running: ${program.output()}`);
    return { exitCode: program.exitCode, output: program.output() };
  } finally {
    await program.stop();
  }
}

describe("npm start", () => {
  for (const file of [
    "play/start.ts",
    "check/test.ts",
    "play/readmes.ts",
    "generate.ts",
    "author/diff.ts",
  ]) {
    it(`${file} lists the steps when it is asked for one that does not exist`, async () => {
      const { exitCode, output } = await run(courseRoot, file, "step-99-nowhere", "1");
      assert.notEqual(exitCode, 0);
      assert.match(
        output,
        /^there is no step "step-99-nowhere"\. The steps are:\n {2}1 {2}step-01-unary\n/,
      );
      assert.doesNotMatch(output, /^ {4}at /m);
    });
  }
});

describe("npm run diff", () => {
  it("shows what a step changes, new files whole, and nothing else", async () => {
    const { exitCode, output } = await run(courseRoot, "author/diff.ts", "1", "2");
    assert.equal(exitCode, 0);
    const headings: readonly string[] = output.match(/^(new|changed|gone) {2}step-02\S+$/gm) ?? [];
    assert.ok(headings.includes("new  step-02-server-stream/catalog/watch-products.ts"));
    assert.ok(headings.includes("changed  step-02-server-stream/server.ts"));
    assert.equal(
      headings.length,
      diffSteps(courseRoot, "step-01-unary", "step-02-server-stream").length,
    );
    assert.match(output, /^\+ {2}new Till\(catalog\)/m);
    const whole = readFileSync(
      join(courseRoot, "step-02-server-stream", "catalog", "watch-products.ts"),
      "utf8",
    );
    assert.ok(output.includes(`new  step-02-server-stream/catalog/watch-products.ts\n${whole}\n`));
    assert.doesNotMatch(headings.join("\n"), /README|\.test\.ts$|\/gen\//m);
  });

  it("shows changed lines among their neighbours, in colour only on a terminal", async () => {
    const { output } = await run(courseRoot, "author/diff.ts", "step-01-unary", "02");
    const [, shown = ""] = /^changed {2}\S+\/server\.ts\n([\s\S]*?)\n\n/m.exec(output) ?? [];
    assert.match(shown, /^line \d+\n(( |\+|-).*\n)+/);
    assert.match(shown, /^ import \{ .*\n\+import \{ Till \}/m);
    assert.equal(output.includes("\u001b"), false);
  });

  it("shows nothing of a step and itself", async () => {
    assert.deepEqual(await run(courseRoot, "author/diff.ts", "2", "2"), {
      exitCode: 0,
      output: "",
    });
  });

  it("says how it is used", async () => {
    for (const args of [[], ["1"], ["1", "2", "3"]]) {
      const { exitCode, output } = await run(courseRoot, "author/diff.ts", ...args);
      assert.deepEqual([exitCode, output], [2, "Usage: npm run diff STEP STEP\n"]);
    }
  });
});

describe("generated code", () => {
  it("is written where it is missing or older than its contract, and only there", async () => {
    const copy = new Workspace(courseRoot);
    try {
      const [step] = listSteps();
      assert.ok(step);
      rmSync(join(copy.root, step.name, "gen"), { recursive: true, force: true });
      const first = await run(copy.root, "generate.ts", "--stale");
      assert.deepEqual(first, { exitCode: 0, output: `generated ${step.name}/gen\n` });
      assert.ok(existsSync(join(copy.root, step.name, "gen", "bakery", "v1", "catalog.ts")));
      const second = await run(copy.root, "generate.ts", "--stale");
      assert.deepEqual(second, { exitCode: 0, output: "" });
    } finally {
      copy.remove();
    }
  });
});
