// Runs the negative controls of the steps, and tests that the control itself finds bad tests.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { TemporaryFolder } from "../../testing/cleanup.ts";
import { emptyCourse, writeFiles } from "../fixtures.ts";
import { courseRoot, listSteps, stepsNamed } from "../steps.ts";
import { control } from "./controls.ts";

const steps = listSteps().map(({ name }) => name);
const named = stepsNamed();

describe("the tests of a step, with the programs of the step before,", { concurrency: 2 }, () => {
  for (const [at, name] of steps.entries()) {
    const previous = steps[at - 1];
    if (previous === undefined || (named.length > 0 && !named.includes(name))) continue;
    it(`fail: ${name}`, async () => assert.equal(await control(courseRoot, name, previous), ""));
  }
});

describe("the control", { concurrency: 2 }, () => {
  let course: TemporaryFolder;

  before(() => {
    course = emptyCourse();
    writeFiles(course.path, {
      "step-01-old/client.ts": 'console.log("old");',
      "step-01-old/server.ts": 'console.log("listening on an-old-server");',
    });
  });

  after(() => course.remove());

  /** Returns the control's verdict on a step 02 with these tests, whose client prints "new". */
  async function judge(name: string, tests: string, programs = "step-01-old"): Promise<string> {
    const step = `step-02-${name}`;
    const imports = `
      import assert from "node:assert/strict";
      import { before, it } from "node:test";
      import { eventually, runClient, startServer } from "../shared/testing/servers.ts";
      const client = async () => (await runClient(import.meta.dirname, [])).stdout;
      const server = async () =>
        (await startServer(import.meta.dirname, {}, "orders-server.ts")).address;`;
    writeFiles(course.path, {
      [`${step}/client.ts`]: 'console.log("new");',
      [`${step}/orders-server.ts`]: 'console.log("listening on a-new-server");',
      [`${step}/step.test.ts`]: `${imports}\n${tests}`,
    });
    return await control(course.path, step, programs);
  }

  const error = 'Object.assign(new Error("no such method"), { code: 12, details: "" })';
  const notices = 'it("prints new", async () => assert.equal(await client(), "new\\n"));';

  for (const [name, tests] of [
    ["assertion", notices],
    ["server", 'it("is", async () => assert.equal(await server(), "a-new-server"));'],
    ["status", `it("calls", async () => { if ((await client()) === "old\\n") throw ${error}; });`],
    ["wait", 'const c = await client(); it("waits", () => eventually(() => c === "new\\n"));'],
  ] as const) {
    it(`is content with tests that fail: ${name}; not with those that pass`, async () => {
      assert.equal(await judge(name, tests), "");
      const own = await judge(name, tests, `step-02-${name}`);
      assert.match(own, /pass with .* they do not notice that .*Add a test/);
    });
  }

  for (const [name, tests, words] of [
    ["type", 'it("reads", async () => undefined.x);', /crash.*\n {2}reads\n.*Cannot read prop/],
    ["hook", 'before(() => missing()); it("runs", () => {});', /crash.*\n.*\n.*missing is not def/],
    ["import", 'import "../nowhere.ts";', /^the tests of step-02-import broke off/],
    ["exit", "process.exit(1);", /^the tests of step-02-exit broke off/],
  ] as const) {
    it(`finds tests that crash or come to no end: ${name}`, async () => {
      assert.match(await judge(name, `${notices}\n${tests}`), words);
    });
  }
});
