// Breaks each rule once in a copy of the course and tests that it is reported; the course breaks none.

import assert from "node:assert/strict";
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { writeFiles } from "../fixtures.ts";
import { git } from "../git.ts";
import { Workspace } from "../play/workspace.ts";
import { courseRoot, listSteps } from "../steps.ts";
import { findProblems } from "./rules.ts";

const [one = "", two = "", three = "", , five = ""] = listSteps().map(({ name }) => name);
let copy: Workspace;

before(() => {
  copy = new Workspace(courseRoot);
});

after(() => copy?.[Symbol.dispose]());

/** Returns the problems of the copy with these files in it. */
function problemsWith(files: Readonly<Record<string, string>>): string {
  writeFiles(copy.root, files);
  const problems = findProblems(copy.root).join("\n");
  for (const file of Object.keys(files)) {
    const [original, changed] = [join(courseRoot, file), join(copy.root, file)];
    if (existsSync(original)) writeFileSync(changed, readFileSync(original));
    else rmSync(changed);
  }
  return problems;
}

const end = /$(?![\s\S])/;
const lines = (count: number) => "export {};\n".repeat(count);
const grpc = 'import { status } from "@grpc/grpc-js";\n';
const tooMuch = `${"word ".repeat(900)}\n\n`;

/** The text to replace in a file, its replacement, and the problem that results. */
type Fault = readonly [from: string | RegExp, to: string, problem: RegExp];

const faults: Record<string, readonly Fault[]> = {
  "README.md": [
    ["(step-02-server-stream/README.md)", "()", /: The steps must have a row for \(step-02\S+\)$/],
  ],
  "shared/bakery/catalog.ts": [
    [/^/, grpc, /:1: imports @grpc\/grpc-js: gRPC belongs into a step, not here$/],
  ],
  [`${one}/server.ts`]: [
    [end, `// ${"x".repeat(98)}\n`, /\/server\.ts:\d+: wider than 100 columns: break the line$/],
  ],
  [`${one}/README.md`]: [
    ["## Break it", "### Break it", /: sections are .*; they must be .* Break it, /],
    ["## Predict", `${tooMuch}## Predict`, /: \d+ words of prose; a lesson has 350 to 900: cut/],
    ["Next: [Step 02", "Step 02: [", /: must end with Next: \[Step NN: …\]\(\.\.\/step-02-\S+\)$/],
    ["**stub**", "stub", /: must introduce \*\*stub\*\*: the glossary says so$/],
    ["**Terminal `server`**", "", /:\d+: write \*\*Terminal `server`\*\* directly above/],
    ["## Predict", "**`a.ts`**\n\n## Predict", /:\d+: \*\*`a\.ts`\*\* must stand directly above/],
    ["$ node --import tsx", "$ npx tsx", /:\d+: \^C needs node --import tsx instead of npx tsx$/],
    [/### 1.*(?=## In prod)/s, "", /:\d+: Your turn must have one or two exercises$/],
    ["### 1. ", "### ", /:\d+: an exercise is headed ### 1\. Title$/],
    [/```console(?=.*### 2)/gs, "```text", /:\d+: an exercise shows its check in a console block/],
    ["<summary>Hints", "<summary>Answer", /:\d+: an exercise ends with <details>: Hints, then/],
    [/```diff(?=.*### 2)/gs, "```text", /:\d+: an exercise has its solution in diff blocks$/],
  ],
  [`${two}/catalog/product-or-not-found.ts`]: [
    [end, lines(1), /:\d+: What changed must have a row \| `\S+-or-not-found\.ts` \| changed \|$/],
  ],
  [`${two}/client.ts`]: [
    ['from "./com', `from "../${one}/com`, /:\d+: imports \.\.\/step-01\S+: copy what is/],
  ],
  [`${three}/README.md`]: [
    ["| `client.ts`", "| `b` | new | |\n$&", /:\d+: What changed has a row for b, .*: take it/],
  ],
  [`${five}/README.md`]: [
    ["ts security/identity.ts", "ts", /:\d+: name the quoted file: ```ts FILE$/],
    [/(ts security\/id\S+\n(?:.*\n)*?.*);\n/, "$1\n", /:\d+: these lines are not in \S+: quote/],
    ["**So much code?**", "Well.", /: adds \d+ lines of code, 150 allowed: .* "\*\*So much/],
  ],
};

describe("the rules find", () => {
  it("nothing wrong with the course", () => {
    assert.deepEqual(findProblems(courseRoot), []);
    assert.deepEqual(findProblems(copy.root), []);
  });

  for (const [file, ofFile] of Object.entries(faults)) {
    for (const [from, to, problem] of ofFile) {
      it(`${file}${problem.source}`, () => {
        const text = readFileSync(join(copy.root, file), "utf8");
        const changed = text.replace(from, to);
        assert.notEqual(changed, text, `${file} does not hold what this test changes`);
        const [step] = file.split("/");
        const expected = new RegExp(`^${step}\\S*${problem.source}`, "m");
        assert.match(problemsWith({ [file]: changed }), expected);
      });
    }
  }

  it("files that are too long, and for a server that is one screen", () => {
    const problems = problemsWith({
      [`${three}/server/one-server.ts`]: lines(100),
      [`${three}/one-server.ts`]: lines(100),
      [`${three}/file.ts`]: lines(121),
    });
    assert.match(problems, /^step-03-bidi\/one-server\.ts: 100 lines, 80 allowed: split/m);
    assert.match(problems, /^step-03-bidi\/file\.ts: 121 lines, 120 allowed: split it/m);
    assert.doesNotMatch(problems, /^step-03-bidi\/server\/one-server\.ts: 100/m);
  });

  it("a step without a lesson", () => {
    const file = join(copy.root, three, "README.md");
    const lesson = readFileSync(file);
    rmSync(file);
    assert.match(findProblems(copy.root).join("\n"), /^step-03\S+: is missing: /);
    writeFileSync(file, lesson);
  });
});

describe("the rules find, in git,", () => {
  const base64 = "MC4CAQAwBQYDK2VwBCIEIGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6MDEyMzQ1";
  const begin = (label: string) => `-----BEGIN ${label}-----`;
  const jwt = ["eyJhbGciOiJFZERTQSJ9", "eyJpc3MiOiJiYWtlcnkifQ", "x".repeat(86)].join(".");

  before(() => {
    git(copy.root, "init", "--quiet");
    git(copy.root, "add", ".");
  });

  it("nothing in a lesson that shows how a key and a token begin", () => {
    appendFileSync(join(copy.root, "LICENSE"), `${begin("PRIVATE KEY")}\nMC4CAQ…\n`);
    appendFileSync(join(copy.root, "LICENSE"), "Bearer eyJhbGciOiJFZERTQSJ9.eyJ[..]\n");
    assert.deepEqual(findProblems(copy.root), []);
  });

  for (const [file, text, problem] of [
    ["notes.txt", `${begin("PRIVATE KEY")}\n${base64}`, "a key, certificate or token in git"],
    ["step-01-unary/notes.md", `token: ${jwt}`, "a key, certificate or token in git"],
    ["step-05-auth/keys/any", "x", "is in git, and .gitignore says"],
    ["step-01-unary/gen/any.ts", "export {};", "is in git, and .gitignore says"],
  ] as const) {
    it(`${file}: ${problem}`, () => {
      writeFiles(copy.root, { [file]: `${text}\n` });
      git(copy.root, "add", "--force", file);
      const problems = findProblems(copy.root);
      git(copy.root, "rm", "--quiet", "--force", file);
      assert.equal(problems.length, 1);
      assert.ok(problems[0]?.startsWith(`${file}: ${problem}`), problems[0]);
    });
  }
});
