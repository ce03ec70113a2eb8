// npm run new-step NAME: a copy of the last step, ready for the next feature.

import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { UsageError } from "../../terminal/program.ts";
import { sections } from "../check/lesson-rules.ts";
import { generate } from "../generate.ts";
import { runScript } from "../script.ts";
import { courseRoot, listSteps, serversOf } from "../steps.ts";

const USAGE = `Usage: npm run new-step NAME

Copies the last step. NAME says what the new one adds, in lower-case letters, digits and hyphens: metrics`;

/** What a step does not take over: its own lesson and tests, and what programs write anew. */
const ownFiles = /^README\.md$|\.test\.ts$|^gen$|^(keys|certs)(-.*)?$|^node_modules$/;

await runScript(USAGE, async () => {
  const [name = "", ...more] = process.argv.slice(2);
  if (more.length > 0 || !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) throw new UsageError(USAGE);
  addStep(name);
  return 0;
});

function addStep(name: string): void {
  const last = listSteps().at(-1);
  if (last === undefined) throw new Error("there is no step to copy");
  const label = String(last.number + 1).padStart(2, "0");
  const step = `step-${label}-${name}`;
  const title = `Step ${label}: ${name.charAt(0).toUpperCase()}${name.slice(1).replaceAll("-", " ")}`;
  cpSync(join(courseRoot, last.name), join(courseRoot, step), {
    recursive: true,
    errorOnExist: true,
    force: false,
    filter: (file) => !ownFiles.test(basename(file)),
  });
  writeFileSync(join(courseRoot, step, "README.md"), lesson(title, step));
  writeFileSync(join(courseRoot, step, "step.test.ts"), tests(label));
  linkFrom(last.name, title, step);
  generate(courseRoot, step);
  console.log(`${step} is a copy of ${last.name}. Now
  1. teach it one thing: a new file, and a few lines in a server or client.ts
  2. write ${step}/step.test.ts; npm test ${last.number + 1} runs it, npm run test:course ${last.number + 1} without the feature
  3. write ${step}/README.md; npm run readmes ${last.number + 1} -- --update fills in what its commands print
  4. give it a row under "The steps" in README.md, and run npm run compatibility -- --update
npm run check says what is missing.`);
}

/** The last step is not the last any more. */
function linkFrom(last: string, title: string, step: string): void {
  const file = join(courseRoot, last, "README.md");
  const text = readFileSync(file, "utf8").trimEnd();
  writeFileSync(file, `${text}\n\nNext: [${title}](../${step}/README.md)\n`);
}

function lesson(title: string, step: string): string {
  const table = "\n\n| File | | What it does |\n| --- | --- | --- |";
  const servers = serversOf(join(courseRoot, step)).map(
    ({ file }) => `\n
\`\`\`console ${file.replace(/\.ts$/, "")}
$ node --import tsx ${step}/${file}
listening on 127.0.0.1:[..]
\`\`\``,
  );
  const extras: Readonly<Record<string, string>> = {
    "What changed": table,
    "Run it": servers.join(""),
  };
  return [
    `# ${title}`,
    "<!-- One sentence: the problem that the step before leaves. -->",
    ...Object.entries(sections).map(
      ([section, advice]) => `## ${section}\n\n<!-- ${advice} -->${extras[section] ?? ""}`,
    ),
    "",
  ]
    .join("\n\n")
    .replace(/\n+$/, "\n");
}

function tests(label: string): string {
  return `// Step ${label} over the wire: what it does, and what it refuses.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type RunningServers, startServers } from "../shared/course/check/servers.ts";

const folder = import.meta.dirname;
let bakery: RunningServers;

before(async () => {
  bakery = await startServers(folder, { TILL_MS: "0", KITCHEN_MS: "0" });
});

after(() => bakery?.[Symbol.asyncDispose]());

describe("the feature", () => {
  it("does what the step before does not", () => {
    assert.fail(\`call the server at \${bakery.env.BAKERY_ADDRESS}, and assert what is new\`);
  });
});
`;
}
