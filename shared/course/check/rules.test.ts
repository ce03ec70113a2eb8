// Each rule of the course is broken once, in a copy, and says so; the course itself breaks none.

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

/** Returns the problems while the copy has these files; undefined removes one. */
function problemsWith(files: Readonly<Record<string, string | undefined>>): string {
  const before = Object.keys(files).map((file) => {
    const path = join(copy.root, file);
    return [path, existsSync(path) ? readFileSync(path) : undefined] as const;
  });
  for (const [file, text] of Object.entries(files)) {
    if (text === undefined) rmSync(join(copy.root, file));
    else writeFiles(copy.root, { [file]: text });
  }
  const problems = findProblems(copy.root).join("\n");
  for (const [path, text] of before) {
    if (text === undefined) rmSync(path);
    else writeFileSync(path, text);
  }
  return problems;
}

/** Returns the fault of a step whose only exercise breaks no rule but with `from` replaced. */
const exerciseFault = (from: string | RegExp, to: string, problem: string): Fault => {
  const fold = (title: string) => `<details>\n<summary>${title}</summary>\n\n`;
  const diff = "**`server.ts`**\n\n```diff server.ts\n-one\n+two\n```\n\n</details>\n\n";
  const check = "### 1. Rye\n\n```console\n$ npx tsx client.ts\n```\n\n";
  const exercise = `${check}${fold("Hints")}Look.\n\n</details>\n\n${fold("Solution")}${diff}`;
  return [
    `${one}/README.md`,
    /(## Your turn\n.*)?(?=## In production)/s,
    `## Your turn\n\n${exercise.replace(from, to)}`,
    new RegExp(`^step-01-unary/README\\.md:\\d+: .*${problem}`),
  ];
};

const end = /$(?![\s\S])/;
const lines = (count: number) => "export {};\n".repeat(count);

/** Replaces `from` in `file`; what must be found then. */
type Fault = [file: string, from: string | RegExp, to: string, problem: RegExp];

const faults: Record<string, Fault> = {
  "a changed file without a row": [
    `${two}/catalog/product-or-not-found.ts`,
    end,
    lines(1),
    /^step-02\S+:\d+: What changed must have a row \| `catalog\/product-or-not-found\.ts` \| changed \|$/,
  ],
  "a row for a file that has not changed": [
    `${three}/README.md`,
    "| `client.ts`",
    "| `server/lifecycle.ts` | changed | lies |\n| `client.ts`",
    /^step-03\S+:\d+: What changed has a row for server\/lifecycle\.ts.*: take it out$/,
  ],
  "a quotation that is not word for word": [
    `${five}/README.md`,
    /(```ts security\/identity\.ts\n(?:.*\n)*?.*);\n/,
    "$1\n",
    /^step-05\S+:\d+: these lines are not in security\/identity\.ts: quote it as it is$/,
  ],
  "a quotation that names no file": [
    `${five}/README.md`,
    "```ts security/identity.ts",
    "```ts",
    /^step-05\S+:\d+: name the quoted file: ```ts FILE$/,
  ],
  "a line over the edge": [
    `${one}/server.ts`,
    end,
    `// ${"x".repeat(98)}\n`,
    /^step-01-unary\/server\.ts:\d+: wider than 100 columns: break the line$/,
  ],
  "a step that adds too much and does not say why": [
    `${five}/README.md`,
    "**Why so much.**",
    "Well.",
    /^step-05-auth: adds \d+ lines of code, 150 allowed: .* "\*\*Why so much\.\*\*"$/,
  ],
  "gRPC in the domain": [
    "shared/bakery/catalog.ts",
    /^/,
    'import { status } from "@grpc/grpc-js";\n',
    /^shared\/bakery\/catalog\.ts:1: imports @grpc\/grpc-js: gRPC belongs into a step, not here$/,
  ],
  "a step that uses another": [
    `${two}/client.ts`,
    'from "./commands/call-',
    'from "../step-01-unary/commands/call-',
    /^step-02\S+\/client\.ts:\d+: imports \.\.\/step-01\S+: copy what is needed into/,
  ],
  "a section that is missing": [
    `${one}/README.md`,
    "## Break it",
    "### Break it",
    /^step-01-unary\/README\.md: sections are .*; they must be .* Break it, /,
  ],
  "a block without its caption": [
    `${one}/README.md`,
    "**Terminal `server`**",
    "**Terminal** `server`",
    /^step-01\S+:\d+: write \*\*Terminal `server`\*\* directly above this block, as a paragraph/,
  ],
  "a caption without its block": [
    `${one}/README.md`,
    "## Predict",
    "**`server.ts`**\n\n## Predict",
    /^step-01\S+:\d+: \*\*`server\.ts`\*\* must stand directly above the block that it names$/,
  ],
  "Ctrl+C at npx": [
    `${one}/README.md`,
    "$ node --import tsx",
    "$ npx tsx",
    /^step-01-unary\/README\.md:\d+: \^C needs node --import tsx instead of npx tsx$/,
  ],
  "exercises that are none, or too many": exerciseFault(/.*/s, "", "Your turn must have"),
  "an exercise without its number": exerciseFault("1. Rye", "Rye", "is headed ### 1. Title$"),
  "an exercise without a check": exerciseFault("console", "text", "shows its check"),
  "an exercise without hints": exerciseFault("Hints", "Answer", "ends with <details>: Hints"),
  "an exercise without a solution": exerciseFault("diff server.ts", "text", "has its solution"),
  "too many words": [
    `${one}/README.md`,
    "## Predict",
    `${"word ".repeat(900)}\n\n## Predict`,
    /^step-01-unary\/README\.md: \d+ words of prose; a lesson has 350 to 900: cut/,
  ],
  "no way to the next step": [
    `${one}/README.md`,
    "Next: [Step 02",
    "Step 02: [",
    /^step-01\S+: must end with Next: \[Step NN: …\]\(\.\.\/step-02-server-stream\/README\.md\)$/,
  ],
  "a term that its step does not introduce": [
    "README.md",
    "## How to walk a step",
    `## Glossary\n\n| Term | Meaning | Step |\n| --- | --- | --- |\n| stubs | - | [01](${one}/README.md) |
| yeast | | [01](${one}/README.md) |\n\n## How to walk a step`,
    /^step-01-unary\/README\.md: must introduce \*\*yeast\*\*: the glossary says so$/,
  ],
  "a step that is not on the map": [
    "README.md",
    "(step-02-server-stream/README.md)",
    "()",
    /^README\.md: The steps must have a row for \(step-02-server-stream\/README\.md\)$/,
  ],
};

describe("the rules find", () => {
  it("nothing wrong with the course", () => {
    assert.deepEqual(findProblems(courseRoot), []);
    assert.deepEqual(findProblems(copy.root), []);
  });

  for (const [title, [file, from, to, problem]] of Object.entries(faults)) {
    it(title, () => {
      const text = readFileSync(join(copy.root, file), "utf8");
      const changed = text.replace(from, to);
      assert.notEqual(changed, text, `${file} does not hold what this test changes`);
      assert.match(problemsWith({ [file]: changed }), new RegExp(problem, "m"));
    });
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
    assert.match(problemsWith({ [`${three}/README.md`]: undefined }), /^step-03\S+: is missing: /);
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
