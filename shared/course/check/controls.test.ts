// Negative controls of the steps, and that the control itself can tell. `npm test 3` sets COURSE_STEPS.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { courseRoot, listSteps } from "../steps.ts";
import { judgeControl, runTestsAgainst } from "./controls.ts";

const wanted = (process.env.COURSE_STEPS ?? "").split(" ").filter(Boolean);

describe("the tests of a step, with the programs of the step before,", { concurrency: 2 }, () => {
  const steps = listSteps();
  for (const [at, { name }] of steps.entries()) {
    const previous = steps[at - 1]?.name;
    if (previous === undefined || (wanted.length > 0 && !wanted.includes(name))) continue;
    it(`fail: ${name}`, async () => {
      const problem = judgeControl(name, await runTestsAgainst(courseRoot, name, previous));
      assert.equal(problem, "");
    });
  }
});

describe("the control", { concurrency: 2 }, () => {
  let root: string;

  /** A course of two steps. The client of the first prints "old", that of the second prints "new". */
  before(() => {
    root = mkdtempSync(join(tmpdir(), "course-fixture-"));
    symlinkSync(join(courseRoot, "node_modules"), join(root, "node_modules"), "junction");
    writeFileSync(join(root, "package.json"), '{ "type": "module" }');
    for (const [step, word] of [
      ["step-01-old", "old"],
      ["step-02-new", "new"],
    ] as const) {
      mkdirSync(join(root, step));
      writeFileSync(join(root, step, "client.ts"), `console.log("${word}");`);
    }
  });

  after(() => rmSync(root, { recursive: true, force: true }));

  /** What the control says of a step 02 with these tests. Each has a copy of the second step. */
  async function judge(name: string, tests: string, programs = "step-01-old"): Promise<string> {
    const step = `step-02-${name}`;
    mkdirSync(join(root, step), { recursive: true });
    writeFileSync(join(root, step, "client.ts"), 'console.log("new");');
    const servers = join(import.meta.dirname, "servers.ts");
    const imports = `
      import assert from "node:assert/strict";
      import { before, it } from "node:test";
      import { eventually, runClient } from ${JSON.stringify(servers)};
      const client = async () => (await runClient(import.meta.dirname, [])).stdout;`;
    writeFileSync(join(root, step, "step.test.ts"), `${imports}\n${tests}`);
    return judgeControl(step, await runTestsAgainst(root, step, programs || step));
  }

  const notices = 'it("prints new", async () => assert.equal(await client(), "new\\n"));';

  it("is good when a test fails by an assertion", async () => {
    assert.equal(await judge("good", notices), "");
  });

  it("is good when a test fails by a call's status, or waits for what never comes", async () => {
    const status = 'Object.assign(new Error("no such method"), { code: 12, details: "" })';
    const fails = `it("calls", async () => { if (await client() === "old\\n") throw ${status}; });`;
    assert.equal(await judge("status", fails), "");
    const waits = `const found = await client();
      it("waits", () => eventually(() => found === "new\\n"));`;
    assert.equal(await judge("waits", waits), "");
  });

  it("finds tests that pass with the step's own programs", async () => {
    assert.match(await judge("own", notices, ""), /^the tests of step-02-own pass with/);
  });

  it("finds tests that pass because they do not look", async () => {
    const looksAway = 'it("prints", async () => assert.notEqual(await client(), ""));';
    assert.match(await judge("blind", looksAway), /they do not notice.*Add a test/);
  });

  for (const [name, tests, words] of [
    [
      "type-error",
      'it("reads", async () => { const x = { new: 1 }; assert.ok(x[(await client()).trim()].y); });',
      /crash.*\n {2}reads\n {4}TypeError: /,
    ],
    ["hook", 'before(() => missing()); it("runs", () => {});', /crash.*\n.*\n {4}ReferenceError: /],
    [
      "late",
      'it("goes on", async () => { setTimeout(() => { throw new Error("late"); }); await client(); });',
      /crash.*\n {2}goes on\n {4}Error: late/,
    ],
  ] as const) {
    it(`finds tests that crash: ${name}`, async () => {
      assert.match(await judge(name, `${notices}\n${tests}`), words);
    });
  }

  for (const [name, tests] of [
    ["import", 'import "../nowhere.ts";'],
    ["syntax", "it("],
    ["exit", "process.exit(1);"],
  ] as const) {
    it(`finds tests that come to no end: ${name}`, async () => {
      await assert.rejects(judge(name, tests), /^Error: the tests of step-02-\w+ broke off/);
    });
  }
});
