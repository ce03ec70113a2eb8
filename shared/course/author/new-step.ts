// npm run new-step NAME: copies the last step, ready for the next feature.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../../terminal/program.ts";
import { sections } from "../check/lesson-rules.ts";
import { writeFiles } from "../fixtures.ts";
import { generate } from "../generate.ts";
import { runScript } from "../script.ts";
import { courseRoot, listSteps } from "../steps.ts";
import { stepFiles } from "./step-diff.ts";

const USAGE = `Usage: npm run new-step NAME

Copies the last step. NAME says what the new one adds, in lower-case letters, digits and hyphens: metrics`;

const tests = `// Tests the step over the wire: what it does, and what it refuses.

import { it } from "node:test";

it.todo("does what the step before does not");
`;

await runScript(USAGE, async () => {
  const [name = "", ...more] = process.argv.slice(2);
  if (more.length > 0 || !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) throw new UsageError(USAGE);
  const last = listSteps().at(-1);
  if (last === undefined) throw new Error("there is no step to copy");
  const number = last.number + 1;
  const label = String(number).padStart(2, "0");
  const step = `step-${label}-${name}`;
  const title = `Step ${label}: ${name.charAt(0).toUpperCase()}${name.slice(1).replaceAll("-", " ")}`;
  writeFiles(join(courseRoot, step), {
    ...Object.fromEntries(stepFiles(courseRoot, last.name)),
    "README.md": lesson(title),
    "step.test.ts": tests,
  });
  const previous = join(courseRoot, last.name, "README.md");
  const text = readFileSync(previous, "utf8").trimEnd();
  writeFileSync(previous, `${text}\n\nNext: [${title}](../${step}/README.md)\n`);
  generate(courseRoot, step);
  console.log(`${step} is a copy of ${last.name}. Now
  1. teach it one thing: a new file, and a few lines in a server or client.ts
  2. write ${step}/step.test.ts; npm test ${number} runs it, npm run test:course ${number} without the feature
  3. write ${step}/README.md; npm run readmes ${number} -- --update fills in what its commands print
  4. give it a row under "The steps" in README.md, and under "Old clients" the table of npm run compatibility
npm run check says what is missing.`);
  return 0;
});

function lesson(title: string): string {
  const parts = Object.entries(sections).map(([name, what]) => `## ${name}\n\n<!-- ${what} -->`);
  const problem = "<!-- One sentence: the problem that the step before leaves. -->";
  return `${[`# ${title}`, problem, ...parts].join("\n\n")}\n`;
}
