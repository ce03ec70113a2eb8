// Every README says what really happens. `npm test 3` sets COURSE_STEPS to check that step's alone.

import { describe, it } from "node:test";
import { courseRoot, stepsNamed } from "../steps.ts";
import { perform } from "./perform.ts";
import { listReadmes } from "./readme.ts";
import { assertAsWritten } from "./report.ts";

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
  }
});
