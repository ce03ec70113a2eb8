// Tests npm run new-step in a copy of the course, and which rules fail for the new step.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { findProblems } from "../check/rules.ts";
import { run, writeFiles } from "../fixtures.ts";
import { Workspace } from "../play/workspace.ts";
import { courseRoot, listSteps } from "../steps.ts";
import { diffSteps } from "./step-diff.ts";

it("npm run new-step copies the last step and leaves to its author what only an author can do", async () => {
  using copy = new Workspace(courseRoot);
  const last = listSteps().at(-1);
  assert.ok(last);
  writeFiles(copy.root, { [`${last.name}/keys-Xy12/private-key.pem`]: "left by running it" });
  const program = join("shared", "course", "author", "new-step.ts");
  const made = await run(copy.root, program, "load-balancing");
  assert.equal(made.exitCode, 0, made.output);
  const step = listSteps(copy.root).at(-1)?.name ?? "";
  assert.match(step, /^step-\d\d-load-balancing$/);
  assert.deepEqual(diffSteps(copy.root, last.name, step), []);
  assert.equal(existsSync(join(copy.root, step, "keys-Xy12")), false);
  const link = `Next: [Step ${step.slice(5, 7)}: Load balancing](../${step}/README.md)\n`;
  assert.ok(readFileSync(join(copy.root, last.name, "README.md"), "utf8").endsWith(link));

  const [exercises = "", words = "", ...rest] = findProblems(copy.root);
  assert.match(exercises, /Your turn must have one or two exercises/);
  assert.match(words, /: \d+ words of prose; .*: write what is not said$/);
  assert.deepEqual(rest, [`README.md: The steps must have a row for (${step}/README.md)`]);
});
