// npm run grade, in a course with one step and two exercises.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { emptyCourse, run, writeFiles } from "../fixtures.ts";
import type { TemporaryFolder } from "./cleanup.ts";

const server = `console.log("listening on " + process.env.PORT);\nsetInterval(() => {}, 1000);\n`;
const lesson = [
  ["# Step 01: Prices", "## Your turn", "### 1. Rye", "'''console server"],
  ["$ node --import tsx step-01-a/server.ts", "listening on 50051", "'''"],
  ["'''console", "$ npx tsx step-01-a/rye.ts", "5.80", "? 3", "'''"],
  ["### 2. Brioche", "'''console", "$ npx tsx step-01-a/brioche.ts", "5.20", "'''"],
];
let course: TemporaryFolder;

before(() => {
  course = emptyCourse();
  writeFiles(course.path, {
    "tsconfig.json": '{ "compilerOptions": { "types": ["node"] } }',
    "step-01-a/README.md": lesson.flat().join("\n").replaceAll("'''", "```"),
    "step-01-a/buf.gen.yaml": "version: v2\nplugins: [{ local: none, out: gen }]\n",
    "step-01-a/gen/descriptors.binpb": "",
  });
});

after(() => course.remove());

/** Grades the step with these files changed; undefined leaves one as it is. */
function grade(files: Record<string, string>, ...args: string[]) {
  writeFiles(join(course.path, "step-01-a"), files);
  return run(course.path, join("shared", "course", "play", "grade.ts"), "1", ...args);
}

it("npm run grade says what it did, expected and got, and how many exercises are done", async () => {
  const rye = "console.log('5.70');\n";
  const some = await grade({
    "server.ts": server,
    "rye.ts": rye,
    "brioche.ts": "console.log('5.20');",
  });
  assert.equal(some.exitCode, 1, some.output);
  assert.match(some.output, /^ {2}listening on 50051\n {2}✓ as expected$/m);
  assert.match(
    some.output,
    /rye\.ts\n {2}5\.70\n.*✗ different:\n {4}expected {2}5\.80\n {4}got {7}5\.70$/ms,
  );
  assert.match(some.output, /all that is expected .*:\n {6}5\.80\n {6}\? 3\n/);
  assert.match(some.output, /\n1 of 2 exercises done\.\n/);

  const all = await grade({ "rye.ts": "console.log('5.80');\nprocess.exitCode = 3;\n" });
  assert.equal(all.exitCode, 0, all.output);
  assert.match(all.output, /\n2 of 2 exercises done\.\n$/);
  assert.equal((await grade({}, "--exercise", "2")).output.match(/✓ done/g)?.length, 1);
  const none = await grade({}, "--exercise", "3");
  assert.equal(none.exitCode, 2);
  assert.match(none.output, /no such exercise\. Its exercises:\n {2}1\. Rye\n {2}2\. Brioche$/m);
});

it("npm run grade shows code that does not compile, and stops where it breaks a server", async () => {
  const broken = await grade({ "server.ts": `${server}const x: number = ("\n` });
  assert.equal(broken.exitCode, 1);
  assert.match(broken.output, /^ {2}step-01-a\/server\.ts:3:\d+: ERROR: Unterminated string/m);
  assert.match(broken.output, /tsc --noEmit says:\n {4}step-01-a\/server\.ts\(3,\d+\): error TS/);
  assert.match(broken.output, /Not run: the other commands, without terminal server\n/);
  assert.doesNotMatch(broken.output, /rye\.ts|^ {4}at .*node_modules/m);

  writeFiles(course.path, { "step-01-a/proto/a.proto": "message {" });
  const contract = await grade({ "buf.yaml": "version: v2\nmodules:\n  - path: proto\n" });
  assert.equal(contract.exitCode, 1);
  assert.match(contract.output, /^buf generate failed in step-01-a:\nproto\/a\.proto:1:1:/m);
});
