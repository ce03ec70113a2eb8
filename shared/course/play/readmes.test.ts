// Every README says what really happens, and its exercises can be solved as it says. `npm test 3` sets
// COURSE_STEPS to check that step's alone.

import { describe, it } from "node:test";
import { courseRoot, stepsNamed } from "../steps.ts";
import { problemsOf } from "../tools.ts";
import { build, exercisesOf, solve } from "./exercises.ts";
import { type Outcome, perform } from "./perform.ts";
import { listReadmes, type Readme } from "./readme.ts";
import { describeDifference } from "./report.ts";

/** How long output may fail to appear that an unsolved exercise most likely never prints. */
const UNSOLVED_MS = 10_000;

// Two at a time: most of the time, a README waits for a program.
describe("READMEs", { concurrency: 2 }, () => {
  for (const readme of listReadmes(courseRoot, stepsNamed())) {
    it(`${readme.file} says what happens`, async (test) => {
      const outcomes = await perform(courseRoot, readme);
      for (const { act, result, reason } of outcomes) {
        if (result !== "skipped") continue;
        const title = `${readme.file}:${act.line} ${act.source[0] ?? ""}`;
        await test.test(title, { skip: `there is no ${reason}` }, () => {});
      }
      assertAsWritten(readme, outcomes);
    });

    for (const exercise of exercisesOf(readme)) {
      it(`${readme.file}, exercise ${exercise.title}: its check fails until it is solved`, async () => {
        const { check, step } = exercise;
        const unsolved = await perform(courseRoot, check, {
          timeoutMs: UNSOLVED_MS,
          audience: { outcome: ({ result }) => result !== "different" },
        });
        if (unsolved.every(({ result }) => result !== "different")) {
          fail("it passes on the step as it stands: let it show what is missing");
        }
        const solved = await perform(courseRoot, check, {
          prepare: async (copy) => {
            solve(copy, exercise);
            fail(
              await build(copy, step),
              await problemsOf(copy.root, "biome", "check", "--error-on-warnings", step),
              await problemsOf(copy.root, "buf", "lint", step),
            );
          },
        });
        assertAsWritten(check, solved);
      });
    }
  }
});

function assertAsWritten(readme: Readme, outcomes: readonly Outcome[]): void {
  const different = outcomes.filter(({ result }) => result === "different");
  fail(...different.map((outcome) => describeDifference(readme, outcome)));
}

/** Throws an error that says what is wrong, if anything is. */
function fail(...problems: string[]): void {
  const message = problems.filter((problem) => problem !== "").join("\n\n");
  if (message === "") return;
  const failure = new Error(message);
  failure.stack = failure.message; // Where it was thrown says nothing to the author of a README.
  throw failure;
}
