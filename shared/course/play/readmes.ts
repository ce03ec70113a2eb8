// npm run readmes [STEP ...] [-- --update]: performs READMEs, says where they are wrong, or mends them.

import { parseArgs } from "node:util";
import { generateStale } from "../generate.ts";
import { courseRoot } from "../steps.ts";
import { perform } from "./perform.ts";
import { listReadmes } from "./readme.ts";
import { describeDifference, updateReadme } from "./report.ts";

const { values, positionals } = parseArgs({
  options: { update: { type: "boolean", default: false } },
  allowPositionals: true,
});

try {
  generateStale(courseRoot);
  for (const readme of listReadmes(courseRoot, positionals)) {
    const outcomes = await perform(courseRoot, readme);
    const different = outcomes.filter(({ result }) => result === "different");
    const skipped = outcomes.filter(({ result }) => result === "skipped");
    for (const outcome of different) console.log(`${describeDifference(readme, outcome)}\n`);
    for (const { act, reason } of skipped) {
      console.log(`${readme.file}:${act.line}: skipped, there is no ${reason}`);
    }
    if (values.update) updateReadme(courseRoot, readme, outcomes);
    const verdict = values.update ? "brought up to date" : "different";
    console.log(`${readme.file}: ${outcomes.length} acts, ${different.length} ${verdict}`);
    if (different.length > 0 && !values.update) process.exitCode = 1;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
