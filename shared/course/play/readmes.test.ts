// Tests that every README shows what really happens. `npm test 3` sets COURSE_STEPS to test only step 3.

import { describe, it } from "node:test";
import { courseRoot, stepsNamed } from "../steps.ts";
import { perform } from "./perform.ts";
import { listReadmes } from "./readme.ts";
import { assertAsWritten } from "./report.ts";

// Runs two at a time, because a README mostly waits for programs.
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
  }
});
