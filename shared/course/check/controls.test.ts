// Negative controls of the steps, and that the control itself can tell. `npm test 3` sets COURSE_STEPS.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { runNode, writeFiles } from "../fixtures.ts";
import { type TemporaryFolder, temporaryFolder } from "../play/cleanup.ts";
import { linkModules } from "../play/workspace.ts";
import { courseRoot, listSteps, stepsNamed } from "../steps.ts";
import { judgeControl, runTestsAgainst } from "./controls.ts";

describe("the tests of a step, with the programs of the step before,", { concurrency: 2 }, () => {
  const steps = listSteps();
  const named = stepsNamed();
  for (const [at, { name }] of steps.entries()) {
    const previous = steps[at - 1]?.name;
    if (previous === undefined || (named.length > 0 && !named.includes(name))) continue;
    it(`fail: ${name}`, async () => {
      const problem = judgeControl(name, await runTestsAgainst(courseRoot, name, previous));
      assert.equal(problem, "");
    });
  }
});

describe("the tests of step 01", { skip: stepsNamed().length > 0 }, () => {
  it("pass with a proxy in the environment that is not there", async () => {
    const args = [
      "--import",
      "tsx/esm",
      join(courseRoot, listSteps()[0]?.name ?? "", "step.test.ts"),
    ];
    const proxies = { http_proxy: "http://127.0.0.1:9", no_grpc_proxy: undefined };
    const { exitCode, output } = await runNode(courseRoot, args, proxies);
    assert.equal(exitCode, 0, output);
  });
});

describe("the control", { concurrency: 2 }, () => {
  let course: TemporaryFolder;

  /** A course of two steps. The client of the first prints "old", that of the second prints "new". */
  before(() => {
    course = temporaryFolder("fixture");
    linkModules(courseRoot, course.path);
    writeFiles(course.path, {
      "package.json": '{ "type": "module" }',
      "step-01-old/client.ts": 'console.log("old");',
      "step-01-old/server.ts": 'console.log("listening on an-old-server");',
    });
  });

  after(() => course.remove());

  /** What the control says of a step 02 with these tests. Each has a copy of the second step. */
  async function judge(name: string, tests: string, programs = "step-01-old"): Promise<string> {
    const step = `step-02-${name}`;
    const servers = pathToFileURL(join(import.meta.dirname, "servers.ts")).href;
    const imports = `
      import assert from "node:assert/strict";
      import { before, it } from "node:test";
      import { eventually, runClient, startServer } from ${JSON.stringify(servers)};
      const client = async () => (await runClient(import.meta.dirname, [])).stdout;`;
    writeFiles(course.path, {
      [`${step}/client.ts`]: 'console.log("new");',
      [`${step}/orders-server.ts`]: 'console.log("listening on a-new-server");',
      [`${step}/step.test.ts`]: `${imports}\n${tests}`,
    });
    return judgeControl(step, await runTestsAgainst(course.path, step, programs || step));
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

  it("gives the only server of the step before in place of any of the step's", async () => {
    const reads = `it("is new", async () => {
      const { address } = await startServer(import.meta.dirname, {}, "orders-server.ts");
      assert.equal(address, "a-new-server");
    });`;
    assert.equal(await judge("server", reads), "");
    assert.match(await judge("own-server", reads, ""), /they do not notice/);
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
