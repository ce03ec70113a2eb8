// Each rule of the course is broken once, in a copy, and says so; the course itself breaks none.

import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { git } from "../git.ts";
import { Program } from "../play/programs.ts";
import { Workspace } from "../play/workspace.ts";
import { courseRoot, listSteps } from "../steps.ts";
import { findProblems } from "./rules.ts";

let copy: Workspace;

before(() => {
  copy = new Workspace(courseRoot);
});

after(() => copy?.remove());

/** What the rules say while `file` of the copy has the text that `change` makes of it. */
function problemsWith(file: string, change: (text: string) => string): string[] {
  const path = join(copy.root, file);
  const text = readFileSync(path, "utf8");
  const changed = change(text);
  assert.notEqual(changed, text, `${file} does not hold what this test changes`);
  writeFileSync(path, changed);
  try {
    return findProblems(copy.root);
  } finally {
    writeFileSync(path, text);
  }
}

const lines = (count: number) => "export {};\n".repeat(count);

it("nothing is wrong with the course", () => {
  assert.deepEqual(findProblems(courseRoot), []);
  assert.deepEqual(findProblems(copy.root), []);
});

/** A fault, and the problem that must be found. One fault may be more than one problem. */
type Fault = [
  title: string,
  file: string,
  change: (text: string) => string,
  problem: RegExp,
  ...RegExp[],
];

const faults: Record<string, Fault[]> = {
  "What changed": [
    [
      "a copy that differs from the step before, without a row",
      "step-02-server-stream/catalog/known-product.ts",
      (text) => `${text}export {};\n`,
      /^step-02\S+README\.md:\d+: .* must have a row \| `catalog\/known-product\.ts` \| changed \|$/,
      /^step-03\S+README\.md:\d+: .* must have a row \| `catalog\/known-product\.ts` \| changed \|$/,
    ],
    [
      "a row for a file that has not changed",
      "step-03-bidi/README.md",
      (text) =>
        text.replace("| `client.ts`", "| `server/lifecycle.ts` | changed | lies |\n| `client.ts`"),
      /^step-03-bidi\/README\.md:\d+: What changed has a row for server\/lifecycle\.ts.*: take it out$/,
    ],
    [
      "a row that calls a changed file new",
      "step-03-bidi/README.md",
      (text) => text.replace("| `client.ts` | changed |", "| `client.ts` | new |"),
      /^step-03-bidi\/README\.md:\d+: .* must have a row \| `client\.ts` \| changed \|$/,
    ],
    [
      "a quotation that is not word for word",
      "step-05-auth/README.md",
      (text) => text.replace("const identities = new WeakMap<", "const identities = new Map<"),
      /^step-05-auth\/README\.md:\d+: these lines do not stand in security\/identity\.ts: quote it as it is$/,
    ],
    [
      "a quotation of half a line",
      "step-05-auth/README.md",
      (text) => text.replace("WeakMap<Metadata, Identity>();", "WeakMap<Metadata, Identity>()"),
      /^step-05-auth\/README\.md:\d+: these lines do not stand in security\/identity\.ts/,
    ],
    [
      "a quotation of a file that is not there",
      "step-05-auth/README.md",
      (text) => text.replace("```ts security/identity.ts", "```ts security/identities.ts"),
      /^step-05-auth\/README\.md:\d+: quotes security\/identities\.ts, which does not exist/,
    ],
    [
      "a quotation of nobody knows what",
      "step-05-auth/README.md",
      (text) => text.replace("```ts security/identity.ts", "```ts"),
      /^step-05-auth\/README\.md:\d+: name the quoted file: ```ts FILE$/,
    ],
  ],
  sizes: [
    [
      "a file over its size",
      "step-01-unary/server/status-error.ts",
      (text) => text + lines(120),
      /^step-01-unary\/server\/status-error\.ts: 150 lines, 120 allowed: split it/,
      /^step-02\S+README.md:\d+: .*`server\/status-error\.ts`/,
    ],
    [
      "a server over one screen",
      "step-01-unary/server.ts",
      (text) => text + lines(80),
      /^step-01-unary\/server\.ts: \d+ lines, 80 allowed: split it/,
    ],
    [
      "a line over the edge",
      "step-01-unary/server.ts",
      (text) => `${text}// ${"x".repeat(98)}\n`,
      /^step-01-unary\/server\.ts:\d+: wider than 100 columns: break the line$/,
    ],
    [
      "a step that adds too much",
      "step-04-interceptors/server.ts",
      (text) => text + lines(150),
      /^step-04-interceptors: adds \d+ lines of code, 150 allowed: teach one thing less/,
      /^step-04-interceptors\/server\.ts: /,
    ],
    [
      "a step that adds too much and no longer says why",
      "step-05-auth/README.md",
      (text) => text.replace("**Why so much.**", "Well."),
      /^step-05-auth: adds \d+ lines of code, 150 allowed: .* "\*\*Why so much\.\*\*"$/,
    ],
  ],
  imports: [
    [
      "gRPC in the domain",
      "shared/bakery/catalog.ts",
      (text) => `import { status } from "@grpc/grpc-js";\n${text}`,
      /^shared\/bakery\/catalog\.ts:1: imports @grpc\/grpc-js: gRPC belongs into a step, not here$/,
    ],
    [
      "a message in the domain",
      "shared/bakery/orders.ts",
      (text) =>
        `import type { Order } from "../../../step-03-bidi/gen/bakery/v1/orders.ts";\n${text}`,
      /^shared\/bakery\/orders\.ts:1: imports \S+orders\.ts: gRPC belongs into a step, not here$/,
    ],
    [
      "gRPC in the terminal, on demand",
      "shared/terminal/program.ts",
      (text) => `${text}await import("@bufbuild/protobuf");\n`,
      /^shared\/terminal\/program\.ts:\d+: imports @bufbuild\/protobuf: gRPC belongs into a step/,
    ],
    [
      "a step that uses another",
      "step-02-server-stream/client.ts",
      (text) => text.replace('from "./commands/call-', 'from "../step-01-unary/commands/call-'),
      /^step-02-server-stream\/client\.ts:\d+: imports \.\.\/step-01\S+: copy what is needed into/,
    ],
  ],
  READMEs: [
    [
      "sections in another order",
      "step-01-unary/README.md",
      (text) => text.replace("## Predict", "## x").replace("## You will", "## Predict"),
      /^step-01-unary\/README\.md: sections are Predict, x, .*; they must be You will, Predict, /,
    ],
    [
      "a section that is missing",
      "step-01-unary/README.md",
      (text) => text.replace("## Break it", "### Break it"),
      /^step-01-unary\/README\.md: sections are .*; they must be .* Break it, In production$/,
    ],
    [
      "another title",
      "step-01-unary/README.md",
      (text) => text.replace("# Step 01: ", "# "),
      /^step-01-unary\/README\.md: the title must be "Step NN: …"$/,
    ],
    [
      "too many words",
      "step-01-unary/README.md",
      (text) => text.replace("## Predict", `${"word ".repeat(900)}\n\n## Predict`),
      /^step-01-unary\/README\.md: \d+ words of prose; a lesson has 350 to 900: cut/,
    ],
    [
      "too few words",
      "step-01-unary/README.md",
      (text) => text.replace(/^[A-Z*-].*$/gm, ""),
      /^step-01-unary\/README\.md: \d+ words of prose; a lesson has 350 to 900: write/,
      /^step-01-unary\/README\.md: must end with Next: /,
    ],
    [
      "no way to the next step",
      "step-01-unary/README.md",
      (text) => text.replace("Next: [Step 02", "Step 02: ["),
      /^step-01\S+: must end with Next: \[Step NN: …\]\(\.\.\/step-02-server-stream\/README\.md\)$/,
    ],
    [
      "a step that is not on the map",
      "README.md",
      (text) => text.replace("(step-02-server-stream/README.md)", "()"),
      /^README\.md: The steps must have a row for \(step-02-server-stream\/README\.md\)$/,
    ],
  ],
};

for (const [rule, list] of Object.entries(faults)) {
  describe(`the rules find, of ${rule},`, () => {
    for (const [title, file, change, ...expected] of list) {
      it(title, () => {
        const problems = problemsWith(file, change);
        const describesAll = problems.every((problem) =>
          expected.some((words) => words.test(problem)),
        );
        const findsAll = expected.every((words) => problems.some((text) => words.test(text)));
        assert.ok(describesAll && findsAll, `found:\n${problems.join("\n")}`);
      });
    }
  });
}

it("npm run check fails for an untrue row, and names it", async () => {
  const small = new Workspace(courseRoot); // Three steps are enough, and checked sooner.
  for (const { name } of listSteps(small.root).slice(3)) {
    rmSync(join(small.root, name), { recursive: true });
  }
  const readme = join(small.root, "step-03-bidi", "README.md");
  const text = readFileSync(readme, "utf8");
  writeFileSync(readme, text.replace("| `client.ts` | changed |", "| `client.ts` | new |"));
  const check = new Program({
    file: process.execPath,
    args: ["--import", "tsx/esm", join(small.root, "shared", "course", "check", "check.ts")],
    cwd: small.root,
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  try {
    assert.ok(await check.ends(100_000), `still running: ${check.output()}`);
    assert.equal(check.exitCode, 1);
    assert.deepEqual(check.output().match(/^FAILED.*$/gm), ["FAILED  rules of the course"]);
    assert.match(check.output(), /^ +step-03-bidi\/README\.md:\d+: What changed .*`client\.ts`/m);
  } finally {
    await check.stop();
    small.remove();
  }
});

it("the rules find a step without a lesson", () => {
  const readme = join(copy.root, "step-02-server-stream", "README.md");
  const text = readFileSync(readme);
  rmSync(readme);
  try {
    assert.match(findProblems(copy.root).join("\n"), /^step-02-server-stream\/README\.md: is miss/);
  } finally {
    writeFileSync(readme, text);
  }
});

describe("the rules find, in git,", () => {
  const base64 = "MC4CAQAwBQYDK2VwBCIEIGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6MDEyMzQ1";
  const begin = (label: string) => `-----BEGIN ${label}-----`;
  const jwt = ["eyJhbGciOiJFZERTQSJ9", "eyJpc3MiOiJiYWtlcnkifQ", "x".repeat(86)].join(".");

  before(() => {
    git(copy.root, "init", "--quiet");
    git(copy.root, "add", ".");
  });

  it("nothing in the course", () => {
    assert.deepEqual(findProblems(copy.root), []);
  });

  it("nothing in a lesson that shows how a key and a token begin", () => {
    appendFileSync(join(copy.root, "LICENSE"), `${begin("PRIVATE KEY")}\nMC4CAQ…\n`);
    appendFileSync(join(copy.root, "LICENSE"), "Bearer eyJhbGciOiJFZERTQSJ9.eyJ[..]\n");
    git(copy.root, "add", ".");
    assert.deepEqual(findProblems(copy.root), []);
  });

  for (const [title, file, text, problem] of [
    ["a private key", "notes.txt", `${begin("PRIVATE KEY")}\n${base64}`, "a private key in git"],
    ["a certificate", "a.ts", `"${begin("CERTIFICATE")}\\n${base64}"`, "a certificate in git"],
    ["a token", "step-01-unary/notes.md", `token: ${jwt}`, "a token in git"],
    ["a folder of keys", "step-05-auth/keys/any", "x", "a file for keys, certificates or tokens"],
    ["a folder of certificates", "step-01-unary/certs/any", "x", "a file for keys, certificates"],
    ["a key store", "store.p12", "x", "a file for keys, certificates or tokens in git"],
    ["generated code", "step-01-unary/gen/any.ts", "export {};", "is generated"],
    ["a compiled contract", "bakery.binpb", "x", "is generated"],
  ] as const) {
    it(title, () => {
      mkdirSync(dirname(join(copy.root, file)), { recursive: true });
      writeFileSync(join(copy.root, file), `${text}\n`);
      git(copy.root, "add", "--force", file);
      try {
        const [found = "", ...others] = findProblems(copy.root);
        assert.ok(found.startsWith(`${file}: ${problem}`), found);
        assert.match(found, /: git rm --cached \S+, and name it in \.gitignore/);
        assert.deepEqual(others, []);
      } finally {
        git(copy.root, "rm", "--quiet", "--force", file);
      }
    });
  }
});
