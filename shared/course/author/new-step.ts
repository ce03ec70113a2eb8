// npm run new-step NAME: a copy of the last step, ready for the next feature.

import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { sections } from "../check/rules.ts";
import { generate } from "../generate.ts";
import { courseRoot, listSteps } from "../steps.ts";

const USAGE = `Usage: npm run new-step NAME

Copies the last step. NAME says what the new one adds, in lower-case letters, digits and hyphens: metrics`;

/** What a step does not take over: its own lesson and tests, and what programs write anew. */
const ownFiles = /^README\.md$|\.test\.ts$|^gen$|^(keys|certs)(-.*)?$|^node_modules$/;

/** What each section of a lesson is for. */
const advice: Readonly<Record<string, string>> = {
  "You will": "Two or three outcomes, as a list.",
  Predict: "One concrete question. The answer is folded away in <details>.",
  "What changed": "A row for each file that is new, changed or gone. Then one to three excerpts.",
  "Run it": "Terminals, full commands, output. A Mermaid diagram where messages cross.",
  "On the wire": "What really travels: path, metadata, frames, status.",
  "Break it": "One edit or one wrong input, and the different output.",
  "In production": "At most five caveats, each with what to do.",
};

try {
  const [name, ...more] = process.argv.slice(2);
  if (name === undefined || more.length > 0 || !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    if (name === "--help") console.log(USAGE);
    else throw new Error(USAGE);
  } else {
    addStep(name);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

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
  1. teach it one thing: a new file, and a few lines in server.ts or client.ts
  2. write ${step}/step.test.ts; npm test ${last.number + 1} runs it, and shows that it fails without the feature
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
  const run = `

\`\`\`console server
$ npx tsx ${step}/server.ts
listening on 127.0.0.1:50051
\`\`\``;
  const extras: Readonly<Record<string, string>> = { "What changed": table, "Run it": run };
  return [
    `# ${title}`,
    "<!-- One sentence: the problem that the step before leaves. -->",
    ...sections.map(
      (section) => `## ${section}\n\n<!-- ${advice[section]} -->${extras[section] ?? ""}`,
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
import { type RunningServer, startServer } from "../shared/course/check/servers.ts";

const folder = import.meta.dirname;
let server: RunningServer;

before(async () => {
  server = await startServer(folder, { TILL_MS: "0", KITCHEN_MS: "0" });
});

after(() => server?.program.stop());

describe("the feature", () => {
  it("does what the step before does not", () => {
    assert.fail(\`call the server at \${server.address}, and assert what is new\`);
  });
});
`;
}
