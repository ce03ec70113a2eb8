// Each rule of the course is broken once, in a copy, and says so; the course itself breaks none.

import assert from "node:assert/strict";
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { writeFiles } from "../fixtures.ts";
import { git } from "../git.ts";
import { Workspace } from "../play/workspace.ts";
import { courseRoot } from "../steps.ts";
import { findProblems } from "./rules.ts";

let copy: Workspace;

before(() => {
  copy = new Workspace(courseRoot);
});

after(() => copy?.remove());

it("nothing is wrong with the course", () => {
  assert.deepEqual(findProblems(courseRoot), []);
  assert.deepEqual(findProblems(copy.root), []);
});

/** A fault: replaces `from` in `file`, and what must be found then. It may be more than one problem. */
type Fault = [title: string, file: string, from: string | RegExp, to: string, ...RegExp[]];

const one = "step-01-unary/README.md";
const three = "step-03-bidi/README.md";
const five = "step-05-auth/README.md";
const end = /$(?![\s\S])/;
const lines = (count: number) => "export {};\n".repeat(count);

const faults: Fault[] = [
  [
    "a file that differs from the step before, without a row",
    "step-02-server-stream/catalog/known-product.ts",
    end,
    lines(1),
    /^step-02\S+:\d+: What changed must have a row \| `catalog\/known-product\.ts` \| changed \|$/,
    /^step-03\S+:\d+: What changed must have a row \| `catalog\/known-product\.ts` \| changed \|$/,
  ],
  [
    "a row for a file that has not changed",
    three,
    "| `client.ts`",
    "| `server/lifecycle.ts` | changed | lies |\n| `client.ts`",
    /^step-03\S+:\d+: What changed has a row for server\/lifecycle\.ts.*: take it out$/,
  ],
  [
    "a row that calls a changed file new",
    three,
    "| `client.ts` | changed |",
    "| `client.ts` | new |",
    /^step-03\S+:\d+: What changed must have a row \| `client\.ts` \| changed \|$/,
  ],
  [
    "a quotation that is not word for word, or of half a line",
    five,
    /(```ts security\/identity\.ts\n(?:.*\n)*?.*);\n/,
    "$1\n",
    /^step-05\S+:\d+: these lines are not in security\/identity\.ts: quote it as it is$/,
  ],
  [
    "a quotation of a file that does not exist",
    five,
    "```ts security/identity.ts",
    "```ts security/identities.ts",
    /^step-05\S+:\d+: quotes security\/identities\.ts, which does not exist/,
  ],
  [
    "a quotation that names no file",
    five,
    "```ts security/identity.ts",
    "```ts",
    /^step-05\S+:\d+: name the quoted file: ```ts FILE$/,
  ],
  [
    "a file over its size",
    "step-01-unary/server/status-error.ts",
    end,
    lines(120),
    /^step-01-unary\/server\/status-error\.ts: 1\d\d lines, 120 allowed: split it/,
    /^step-02\S+README.md:\d+: .*`server\/status-error\.ts`/,
  ],
  [
    "a server over one screen",
    "step-01-unary/server.ts",
    end,
    lines(80),
    /^step-01-unary\/server\.ts: \d+ lines, 80 allowed: split it/,
  ],
  [
    "a line over the edge",
    "step-01-unary/server.ts",
    end,
    `// ${"x".repeat(98)}\n`,
    /^step-01-unary\/server\.ts:\d+: wider than 100 columns: break the line$/,
  ],
  [
    "a step that adds too much and does not say why",
    five,
    "**Why so much.**",
    "Well.",
    /^step-05-auth: adds \d+ lines of code, 150 allowed: .* "\*\*Why so much\.\*\*"$/,
  ],
  [
    "gRPC in the domain",
    "shared/bakery/catalog.ts",
    /^/,
    'import { status } from "@grpc/grpc-js";\n',
    /^shared\/bakery\/catalog\.ts:1: imports @grpc\/grpc-js: gRPC belongs into a step, not here$/,
  ],
  [
    "gRPC in the terminal, on demand",
    "shared/terminal/program.ts",
    end,
    'await import("../../step-03-bidi/gen/bakery/v1/orders.ts");\n',
    /^shared\/terminal\/program\.ts:\d+: imports \S+orders\.ts: gRPC belongs into a step/,
  ],
  [
    "a step that uses another",
    "step-02-server-stream/client.ts",
    'from "./commands/call-',
    'from "../step-01-unary/commands/call-',
    /^step-02\S+\/client\.ts:\d+: imports \.\.\/step-01\S+: copy what is needed into/,
  ],
  [
    "a section that is missing",
    one,
    "## Break it",
    "### Break it",
    /^step-01-unary\/README\.md: sections are .*; they must be .* Break it, /,
  ],
  [
    "another title",
    one,
    "# Step 01: ",
    "# ",
    /^step-01-unary\/README\.md: the title must be "Step NN: …"$/,
  ],
  [
    "too many words",
    one,
    "## Predict",
    `${"word ".repeat(900)}\n\n## Predict`,
    /^step-01-unary\/README\.md: \d+ words of prose; a lesson has 350 to 900: cut/,
  ],
  [
    "too few words, and no way to the next step",
    one,
    /^[A-Z*-].*$/gm,
    "",
    /^step-01-unary\/README\.md: \d+ words of prose; a lesson has 350 to 900: write/,
    /^step-01\S+: must end with Next: \[Step NN: …\]\(\.\.\/step-02-server-stream\/README\.md\)$/,
  ],
  [
    "a step that is not on the map",
    "README.md",
    "(step-02-server-stream/README.md)",
    "()",
    /^README\.md: The steps must have a row for \(step-02-server-stream\/README\.md\)$/,
  ],
];

describe("the rules find", () => {
  for (const [title, file, from, to, ...expected] of faults) {
    it(title, () => {
      const path = join(copy.root, file);
      const text = readFileSync(path, "utf8");
      const changed = text.replace(from, to);
      assert.notEqual(changed, text, `${file} does not hold what this test changes`);
      writeFileSync(path, changed);
      const problems = findProblems(copy.root);
      writeFileSync(path, text);
      const isExpected = (problem: string) => expected.some((words) => words.test(problem));
      const isFound = (words: RegExp) => problems.some((problem) => words.test(problem));
      assert.ok(problems.every(isExpected) && expected.every(isFound), problems.join("\n"));
    });
  }

  it("a step that adds too much, and a second server over one screen", () => {
    const files = ["server/orders-server.ts", "orders-server.ts"].map(
      (f) => `step-04-interceptors/${f}`,
    );
    writeFiles(copy.root, Object.fromEntries(files.map((file) => [file, lines(100)])));
    const problems = findProblems(copy.root).join("\n");
    for (const file of files) rmSync(join(copy.root, file));
    assert.match(problems, /^step-04-interceptors: adds \d+ lines of code, 150 allowed: teach/m);
    assert.match(problems, /^step-04-interceptors\/orders-server\.ts: 100 lines, 80 allowed/m);
    assert.doesNotMatch(problems, /server\/orders-server\.ts: 100 lines/);
  });

  it("a step without a lesson", () => {
    const text = readFileSync(join(copy.root, three));
    rmSync(join(copy.root, three));
    const problems = findProblems(copy.root);
    writeFileSync(join(copy.root, three), text);
    assert.deepEqual(problems, [
      `${three}: is missing: every step has its lesson, and the course its map`,
    ]);
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
    assert.ok(existsSync(join(copy.root, "LICENSE")));
    appendFileSync(join(copy.root, "LICENSE"), `${begin("PRIVATE KEY")}\nMC4CAQ…\n`);
    appendFileSync(join(copy.root, "LICENSE"), "Bearer eyJhbGciOiJFZERTQSJ9.eyJ[..]\n");
    git(copy.root, "add", ".");
    assert.deepEqual(findProblems(copy.root), []);
  });

  for (const [file, text, problem] of [
    ["notes.txt", `${begin("PRIVATE KEY")}\n${base64}`, "a private key in git"],
    ["a.ts", `"${begin("CERTIFICATE")}\\n${base64}"`, "a certificate in git"],
    ["step-01-unary/notes.md", `token: ${jwt}`, "a token in git"],
    ["step-05-auth/keys/any", "x", "a file for keys, certificates or tokens"],
    ["step-01-unary/certs/any", "x", "a file for keys, certificates or tokens"],
    ["step-01-unary/gen/any.ts", "export {};", "is generated"],
    ["bakery.binpb", "x", "is generated"],
  ] as const) {
    it(`${file}: ${problem}`, () => {
      writeFiles(copy.root, { [file]: `${text}\n` });
      git(copy.root, "add", "--force", file);
      const [found = "", ...others] = findProblems(copy.root);
      git(copy.root, "rm", "--quiet", "--force", file);
      assert.ok(found.startsWith(`${file}: ${problem}`), found);
      assert.match(found, /: git rm --cached \S+, and name it in \.gitignore/);
      assert.deepEqual(others, []);
    });
  }
});
