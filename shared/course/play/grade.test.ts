// Tests npm run grade in a course with one step and two exercises.

import assert from "node:assert/strict";
import { join } from "node:path";
import { it } from "node:test";
import { emptyCourse, run, writeFiles } from "../fixtures.ts";

const server = `console.log("listening on " + process.env.PORT);\nsetInterval(() => {}, 1000);\n`;
const rye = "console.log('5.80');\nprocess.exitCode = 3;\n";
const lesson = [
  ["# Step 01: Prices", "## Your turn", "### 1. Rye", "'''console server"],
  ["$ node --import tsx step-01-a/server.ts", "listening on 50051", "'''"],
  ["'''console", "$ npx tsx step-01-a/rye.ts", "5.80", "? 3", "'''"],
  ["### 2. Brioche", "'''console", "$ npx tsx step-01-a/brioche.ts", "5.20", "'''"],
];

it("npm run grade says what it did, expected and got, and how many exercises are done", async () => {
  using course = emptyCourse();
  writeFiles(course.path, { "tsconfig.json": '{ "compilerOptions": { "types": ["node"] } }' });

  /** Changes files of the step, grades it, and asserts the exit code and the output. */
  const grade = async (files: Record<string, string>, exitCode: number, ...words: RegExp[]) => {
    writeFiles(join(course.path, "step-01-a"), files);
    const ended = await run(course.path, "shared/course/play/grade.ts", "1");
    assert.equal(ended.exitCode, exitCode, ended.output);
    for (const word of words) assert.match(ended.output, word);
    return ended.output;
  };

  const files = {
    "README.md": lesson.flat().join("\n").replaceAll("'''", "```"),
    "buf.gen.yaml": "version: v2\nplugins: [{ local: none, out: gen }]\n",
    "gen/descriptors.binpb": "",
    "server.ts": server,
    "rye.ts": "console.log('5.70');\n",
    "brioche.ts": "console.log('5.20');\n",
  };
  const different =
    /rye\.ts\n {2}5\.70\n.*✗ different:\n {4}expected {2}5\.80\n {4}got {7}5\.70$/ms;
  const listens = /^ {2}listening on 50051\n {2}✓ as expected$/m;
  await grade(files, 1, listens, different, /:\n {6}5\.80\n {6}\? 3\n/, /done: 1 of 2\.\n/);
  const untyped = { "rye.ts": `${rye}\nconst x: number = "";\n` };
  await grade(untyped, 0, /✓ done, but tsc finds errors\n/, /says:\n {2}step-01-a\/rye\.ts\(/);
  await grade({ "rye.ts": rye }, 0, /✓ done\n/, /done: 2 of 2\.\n$/);

  const mistake = /^ {2}step-01-a\/server\.ts:3:\d+: ERROR: Unterminated string/m;
  const types = / 2\.\n.*\n\nnpx tsc --noEmit says:\n {2}step-01-a\/server\.ts\(3,\d+\): error TS/;
  const broken = { "server.ts": `${server}const x: number = ("\n` };
  const output = await grade(broken, 1, mistake, types, /\? 1\n.*Not run: .* has ended\n/s);
  assert.doesNotMatch(output, /rye\.ts|^ {4}at .*node_modules/m);

  const contract = { "buf.yaml": "version: v2\nmodules: [{ path: proto }]\n" };
  const invalid = { ...contract, "proto/a.proto": "message {" };
  await grade(invalid, 1, /^buf generate failed in step-01-a:\nproto\/a\.proto:1:1:/m);
});
