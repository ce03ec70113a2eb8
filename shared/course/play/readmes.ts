// npm run readmes [STEP ...] [-- --update]: performs READMEs, and reports or updates what is wrong.

import { parseArgs } from "node:util";
import { generateStale } from "../generate.ts";
import { runScript } from "../script.ts";
import { courseRoot } from "../steps.ts";
import { perform } from "./perform.ts";
import { listReadmes } from "./readme.ts";
import { describeDifference, updateReadme } from "./report.ts";

const USAGE = `Usage: npm run readmes [STEP ...] [-- --update]

Performs the READMEs and says where they are wrong. STEP is a number or a folder; all READMEs unless given.

  --update   brings their output up to date, and keeps the wildcards`;

await runScript(USAGE, async () => {
  const { values, positionals } = parseArgs({
    options: { update: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  generateStale(courseRoot);
  let wrong = 0;
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
    wrong += different.length;
  }
  return wrong > 0 && !values.update ? 1 : 0;
});
