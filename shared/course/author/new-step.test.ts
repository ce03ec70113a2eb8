// npm run new-step, in a copy of the course.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { findProblems } from "../check/rules.ts";
import { Program } from "../play/programs.ts";
import { Workspace } from "../play/workspace.ts";
import { courseRoot, listSteps } from "../steps.ts";
import { diffSteps } from "./step-diff.ts";

async function run(root: string, args: readonly string[]) {
  const program = new Program({
    file: process.execPath,
    args: ["--import", "tsx/esm", ...args],
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

const newStep = (root: string, ...args: string[]) =>
  run(root, [join(root, "shared", "course", "author", "new-step.ts"), ...args]);

describe("npm run new-step", () => {
  let copy: Workspace;
  let made: { exitCode: number | undefined; output: string };
  const last = listSteps().at(-1);
  assert.ok(last);
  const step = `step-${String(last.number + 1).padStart(2, "0")}-load-balancing`;
  const read = (...path: string[]) => readFileSync(join(copy.root, ...path), "utf8");

  before(async () => {
    copy = new Workspace(courseRoot);
    // What running the last step leaves behind.
    for (const folder of ["keys", "keys-Xy12", "certs"]) {
      mkdirSync(join(copy.root, last.name, folder), { recursive: true });
      writeFileSync(join(copy.root, last.name, folder, "private-key.pem"), "secret");
    }
    made = await newStep(copy.root, "load-balancing");
  });

  after(() => copy?.remove());

  it("copies the last step, but for its lesson, its tests, and what programs write", () => {
    assert.equal(made.exitCode, 0, made.output);
    assert.equal(listSteps(copy.root).at(-1)?.name, step);
    assert.deepEqual(diffSteps(copy.root, last.name, step), []);
    const files = readdirSync(join(copy.root, step));
    assert.deepEqual(
      files.filter((file) => file.endsWith(".test.ts")),
      ["step.test.ts"],
    );
    assert.notEqual(read(step, "step.test.ts"), read(last.name, "step.test.ts"));
    for (const folder of ["keys", "keys-Xy12", "certs"]) {
      assert.equal(existsSync(join(copy.root, step, folder)), false, folder);
    }
    assert.ok(existsSync(join(copy.root, step, "gen", "bakery", "v1", "catalog.ts")));
  });

  it("links it from the step before, and says what to do next", () => {
    const title = `Step ${step.slice(5, 7)}: Load balancing`;
    const link = `Next: [${title}](../${step}/README.md)\n`;
    assert.ok(read(last.name, "README.md").endsWith(`\n\n${link}`));
    assert.match(read(step, "README.md"), new RegExp(`^# ${title}\n`));
    assert.match(made.output, /^step-\S+ is a copy of step-\S+\. Now\n {2}1\. /m);
  });

  it("leaves exactly that to do which only its author can", () => {
    const problems = findProblems(copy.root).map((text) =>
      text.replace(/: \d+ words/, ": few words"),
    );
    assert.deepEqual(problems, [
      `${step}/README.md: few words of prose; a lesson has 350 to 900: write what is not said`,
      `README.md: The steps must have a row for (${step}/README.md)`,
    ]);
    const server = join(copy.root, step, "server.ts");
    const text = read(step, "server.ts");
    writeFileSync(server, `${text}export {};\n`);
    assert.match(
      findProblems(copy.root).join("\n"),
      new RegExp(`^${step}/README\\.md:\\d+: .* must have a row \\| \`server\\.ts\``, "m"),
    );
    writeFileSync(server, text);
  });

  it("gives code that is formatted and has the right types", async () => {
    const modules = join(copy.root, "node_modules");
    const biome = join(modules, "@biomejs", "biome", "bin", "biome");
    const formatted = await run(copy.root, [biome, "check", "--error-on-warnings", step]);
    assert.equal(formatted.exitCode, 0, formatted.output);
    const typed = await run(copy.root, [join(modules, "typescript", "bin", "tsc"), "--noEmit"]);
    assert.equal(typed.exitCode, 0, typed.output);
  });

  it("gives a test that reaches the server, and fails until it is written", async () => {
    const tests = [join(copy.root, step, "step.test.ts")];
    const { exitCode, output } = await run(copy.root, tests);
    assert.equal(exitCode, 1);
    assert.match(output, /call the server at 127\.0\.0\.1:\d+, and assert what is new/);
  });

  it("refuses a name that is none, and does nothing", async () => {
    const before = readdirSync(copy.root);
    for (const args of [[], ["Metrics"], ["metrics/"], ["two", "names"], ["--name"], ["a--b"]]) {
      const { exitCode, output } = await newStep(copy.root, ...args);
      assert.equal(exitCode, 2);
      assert.match(output, /^Usage: npm run new-step NAME\n/);
    }
    assert.deepEqual(readdirSync(copy.root), before);
    assert.equal((await newStep(copy.root, "--help")).exitCode, 0);
  });
});
