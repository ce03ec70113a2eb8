// npm run new-step, and npm run check, in a copy of the course.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { type Run, run, writeFiles } from "../fixtures.ts";
import { Workspace } from "../play/workspace.ts";
import { courseRoot, listSteps } from "../steps.ts";
import { diffSteps } from "./step-diff.ts";

const newStep = (root: string, ...args: string[]): Promise<Run> =>
  run(root, join("shared", "course", "author", "new-step.ts"), ...args);

it("npm run new-step copies the last step and leaves to its author what only an author can do", async () => {
  using copy = new Workspace(courseRoot);
  const last = listSteps().at(-1);
  assert.ok(last);
  const step = `step-${String(last.number + 1).padStart(2, "0")}-load-balancing`;
  const read = (file: string) => readFileSync(join(copy.root, file), "utf8");
  writeFiles(copy.root, { [`${last.name}/keys-Xy12/private-key.pem`]: "left by running it" });

  const made = await newStep(copy.root, "load-balancing");
  assert.equal(made.exitCode, 0, made.output);
  assert.match(made.output, /^step-\S+ is a copy of step-\S+\. Now\n {2}1\. /m);
  assert.equal(listSteps(copy.root).at(-1)?.name, step);
  assert.deepEqual(diffSteps(copy.root, last.name, step), []);
  assert.equal(existsSync(join(copy.root, step, "keys-Xy12")), false);
  assert.ok(existsSync(join(copy.root, step, "gen")));
  const title = `Step ${step.slice(5, 7)}: Load balancing`;
  assert.ok(
    read(`${last.name}/README.md`).endsWith(`\n\nNext: [${title}](../${step}/README.md)\n`),
  );

  const check = await run(copy.root, join("shared", "course", "check", "check.ts"));
  assert.equal(check.exitCode, 1);
  assert.match(check.output, /^ok {6}buf breaking step-02-/m);
  assert.deepEqual(check.output.match(/^(FAILED|ok {6}types| {8}).*$/gm), [
    "ok      types",
    "FAILED  rules of the course",
    `        ${step}/README.md: ${/\d+ words/.exec(check.output)} of prose; a lesson has 350 to 900: write what is not said`,
    `        README.md: The steps must have a row for (${step}/README.md)`,
  ]);

  const tests = await run(copy.root, join(step, "step.test.ts"));
  assert.equal(tests.exitCode, 1);
  assert.match(tests.output, /call the server at 127\.0\.0\.1:\d+, and assert what is new/);
});

it("npm run new-step refuses what is no name", async () => {
  for (const args of [["Metrics"], ["two", "names"]]) {
    const { exitCode, output } = await newStep(courseRoot, ...args);
    assert.equal(exitCode, 2);
    assert.match(output, /^Usage: npm run new-step NAME\n/);
  }
});
