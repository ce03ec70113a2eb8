// The npm scripts of the course: what they say when they are misused, and what some of them do.

import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { diffSteps } from "../author/step-diff.ts";
import { type Run, run, runNode, writeFiles } from "../fixtures.ts";
import { courseRoot, listSteps } from "../steps.ts";
import { temporaryFolder } from "./cleanup.ts";
import { Workspace } from "./workspace.ts";

const script = (file: string, ...args: string[]): Promise<Run> =>
  run(courseRoot, join("shared", "course", file), ...args);
const { scripts } = JSON.parse(readFileSync(join(courseRoot, "package.json"), "utf8"));

describe("the npm scripts", { concurrency: 2 }, () => {
  for (const [name, command] of Object.entries<string>(scripts)) {
    const [, file, flag] = /shared\/course\/(\S+) ?(--course)?/.exec(command) ?? [];
    if (file === undefined || /^(prepare|check)$/.test(name)) continue;
    it(`npm run ${name} refuses what it does not know, and says how it is used`, async () => {
      const { exitCode, output } = await script(file, ...(flag ? [flag] : []), "--nonsense", "1");
      assert.equal(exitCode, 2);
      assert.match(output, name === "diff" ? /there is no step "--nonsense"/ : /^Usage: npm /m);
      assert.doesNotMatch(output, /^ {4}at /m);
    });
  }
});

it("npm run diff shows what a step changes, new files whole, and nothing else", async () => {
  const [first, second] = listSteps();
  assert.ok(first && second);
  const { exitCode, output } = await script("author/diff.ts", first.name, "02");
  assert.equal(exitCode, 0);
  const headings = output.match(/^(new|changed|gone) {2}step-02\S+$/gm) ?? [];
  const changes = diffSteps(courseRoot, first.name, second.name);
  const expected = changes.map(({ kind, file }) => `${kind}  ${second.name}/${file}`);
  assert.deepEqual([...headings], expected);
  const added = changes.find(({ kind }) => kind === "new");
  assert.ok(output.includes(`new  ${second.name}/${added?.file}\n${added?.now}\n`));
  assert.match(output, /^changed {2}\S+\/server\.ts\nline \d+\n(( |\+|-).*\n)+/m);
});

it("npm run generate --stale writes what is missing or older than its contract", async () => {
  using copy = new Workspace(courseRoot);
  const [step] = listSteps();
  assert.ok(step);
  rmSync(join(copy.root, step.name, "gen"), { recursive: true, force: true });
  const stale = () => run(copy.root, join("shared", "course", "generate.ts"), "--stale");
  assert.deepEqual(await stale(), { exitCode: 0, output: `generated ${step.name}/gen\n` });
  assert.ok(existsSync(join(copy.root, step.name, "gen", "bakery", "v1", "catalog.ts")));
  assert.deepEqual(await stale(), { exitCode: 0, output: "" });
});

it("npm test ends a test that hangs, and names it", async () => {
  using folder = temporaryFolder("fixture");
  const tests = `import { it } from "node:test";
    it("is quick", () => {});
    it("hangs", () => new Promise((resolve) => setTimeout(resolve, 60_000)));`;
  writeFiles(folder.path, { "a.test.mjs": tests });
  const limits = join(import.meta.dirname, "..", "check", "test-process.ts");
  const args = [
    "--import=tsx/esm",
    `--import=${limits}`,
    "--test",
    join(folder.path, "a.test.mjs"),
  ];
  const { exitCode, output } = await runNode(courseRoot, args, { COURSE_TEST_LIMIT_MS: "1500" });
  assert.equal(exitCode, 1);
  assert.match(output, /"hangs" is still running after 1\.5 s/);
});
