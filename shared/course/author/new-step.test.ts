// npm run new-step, and npm run check, in a copy of the course.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Run, run, writeFiles } from "../fixtures.ts";
import { Workspace } from "../play/workspace.ts";
import { courseRoot, listSteps } from "../steps.ts";
import { diffSteps } from "./step-diff.ts";

const newStep = (root: string, ...args: string[]): Promise<Run> =>
  run(root, join("shared", "course", "author", "new-step.ts"), ...args);

describe("npm run new-step", () => {
  let copy: Workspace;
  let made: Run;
  const last = listSteps().at(-1);
  assert.ok(last);
  const step = `step-${String(last.number + 1).padStart(2, "0")}-load-balancing`;
  const read = (...path: string[]) => readFileSync(join(copy.root, ...path), "utf8");
  // What running the last step leaves behind.
  const leftovers = ["keys", "keys-Xy12", "certs"];

  before(async () => {
    copy = new Workspace(courseRoot);
    for (const folder of leftovers) {
      writeFiles(copy.root, { [`${last.name}/${folder}/private-key.pem`]: "secret" });
    }
    made = await newStep(copy.root, "load-balancing");
  });

  after(() => copy?.remove());

  it("copies the last step, except for its lesson, its tests, and what programs write", () => {
    assert.equal(made.exitCode, 0, made.output);
    assert.equal(listSteps(copy.root).at(-1)?.name, step);
    assert.deepEqual(diffSteps(copy.root, last.name, step), []);
    assert.notEqual(read(step, "step.test.ts"), read(last.name, "step.test.ts"));
    for (const folder of leftovers) {
      assert.equal(existsSync(join(copy.root, step, folder)), false, folder);
    }
    assert.ok(existsSync(join(copy.root, step, "gen", "bakery", "v1", "catalog.ts")));
  });

  it("links it from the step before, and says what to do next", () => {
    const title = `Step ${step.slice(5, 7)}: Load balancing`;
    assert.ok(
      read(last.name, "README.md").endsWith(`\n\nNext: [${title}](../${step}/README.md)\n`),
    );
    assert.match(read(step, "README.md"), new RegExp(`^# ${title}\n`));
    assert.match(made.output, /^step-\S+ is a copy of step-\S+\. Now\n {2}1\. /m);
  });

  it("leaves to its author what npm run check then names, and nothing else", async () => {
    const { exitCode, output } = await run(
      copy.root,
      join("shared", "course", "check", "check.ts"),
    );
    assert.equal(exitCode, 1);
    assert.match(output, /^ok {6}buf breaking step-02-/m);
    assert.deepEqual(output.match(/^(FAILED|ok {6}types| {8}).*$/gm), [
      "ok      types",
      "FAILED  rules of the course",
      `        ${step}/README.md: ${/\d+ words/.exec(output)} of prose; a lesson has 350 to 900: write what is not said`,
      `        README.md: The steps must have a row for (${step}/README.md)`,
    ]);
  });

  it("gives a test that reaches the server, and fails until it is written", async () => {
    const { exitCode, output } = await run(copy.root, join(step, "step.test.ts"));
    assert.equal(exitCode, 1);
    assert.match(output, /call the server at 127\.0\.0\.1:\d+, and assert what is new/);
  });

  it("refuses what is no name, and does nothing", async () => {
    const before = readdirSync(copy.root);
    for (const args of [[], ["Metrics"], ["two", "names"], ["a--b"]]) {
      const { exitCode, output } = await newStep(copy.root, ...args);
      assert.equal(exitCode, 2);
      assert.match(output, /^Usage: npm run new-step NAME\n/);
    }
    assert.deepEqual(readdirSync(copy.root), before);
  });
});
