// Tests that each exercise's check fails on the step as it is, and passes with the README's solution.
// `npm run test:course 3` sets COURSE_STEPS to test the exercises of that step only.

import { describe, it } from "node:test";
import { courseRoot, stepsNamed } from "../steps.ts";
import { problemsOf } from "../tools.ts";
import { build, exercisesOf, solve } from "./exercises.ts";
import { perform } from "./perform.ts";
import { listReadmes } from "./readme.ts";
import { assertAsWritten, fail } from "./report.ts";

/** How long to wait for output that an unsolved exercise is unlikely to print. */
const UNSOLVED_MS = 10_000;

describe("exercises", { concurrency: 2 }, () => {
  for (const readme of listReadmes(courseRoot, stepsNamed())) {
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
