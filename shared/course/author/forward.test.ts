// Tests npm run forward in a small course.

import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { TemporaryFolder } from "../../testing/cleanup.ts";
import { emptyCourse, run, writeFiles } from "../fixtures.ts";
import { git } from "../git.ts";

const forward = (root: string) => run(root, join("shared", "course", "author", "forward.ts"));

describe("npm run forward", () => {
  let course: TemporaryFolder;

  const numbered = Array.from({ length: 12 }, (_, at) => `line ${at + 1}\n`).join("");
  /** The file in later steps: with a new line after line 7, and a different line 10. */
  const later = numbered.replace("line 8\n", "new\nline 8\n").replace("10", "10 of step 04");
  const steps = { "step-01-a": numbered, "step-02-b": numbered, "step-03-c": later };

  const edit = (file: string, from: string, to: string) =>
    writeFiles(course.path, { [file]: read(file).replace(from, to) });
  const read = (file: string) => readFileSync(join(course.path, file), "utf8");

  beforeEach(() => {
    course = emptyCourse();
    for (const [step, text] of Object.entries({ ...steps, "step-04-d": later })) {
      writeFiles(course.path, {
        [`${step}/buf.gen.yaml`]: "",
        [`${step}/a.ts`]: text,
        [`${step}/README.md`]: "lesson",
      });
    }
    writeFiles(course.path, { "step-02-b/b.ts": "b\n", "step-04-d/b.ts": "b\n" });
    git(course.path, "init", "--quiet");
    git(course.path, "add", ".");
    const author = ["-c", "user.name=A Baker", "-c", "user.email=baker@example.com"];
    git(course.path, ...author, "commit", "--quiet", "--no-gpg-sign", "--message=all");
  });

  afterEach(() => course.remove());

  it("makes an edit in every later step, also beside lines of the step's own, and once", async () => {
    edit("step-01-a/a.ts", "line 7\n", "LINE 7\n");
    const files = ["step-02-b", "step-03-c", "step-04-d"].map((step) => `${step}/a.ts`);
    const words = (outcome: string) => files.map((file) => `${file}: ${outcome}\n`).join("");
    assert.deepEqual(await forward(course.path), { exitCode: 0, output: words("carried") });
    assert.equal(read("step-02-b/a.ts"), numbered.replace("line 7", "LINE 7"));
    assert.equal(read("step-04-d/a.ts"), later.replace("line 7", "LINE 7"));
    const status = git(course.path, "status", "--porcelain");
    assert.deepEqual(await forward(course.path), { exitCode: 0, output: words("there already") });
    assert.equal(git(course.path, "status", "--porcelain"), status);
  });

  it("marks a conflict, and goes on from the author's answer to it", async () => {
    edit("step-01-a/a.ts", "line 10", "LINE 10");
    edit("step-02-b/b.ts", "b", "B");
    const first = await forward(course.path);
    assert.equal(first.exitCode, 1);
    assert.match(first.output, /^step-03-c\/a\.ts: CONFLICT: .* run npm run forward again$/m);
    assert.match(first.output, /^step-04-d\/b\.ts: carried$/m); // Other files are still carried.
    const marked = read("step-03-c/a.ts");
    assert.match(marked, /^<{7} step-03-c\/a\.ts\nline 10 of step 04\n\|{7} /m);
    assert.match(marked, /^={7}\nLINE 10\n>{7} step-02-b\/a\.ts, edited\n/m);
    assert.equal(read("step-04-d/a.ts"), later);

    const again = await forward(course.path);
    assert.equal(again.exitCode, 1);
    assert.match(again.output, /^step-03-c\/a\.ts: STUCK: edit what is between the markers/m);
    assert.equal(read("step-03-c/a.ts"), marked);

    const answer = later.replace("line 10", "LINE 10");
    writeFiles(course.path, { "step-03-c/a.ts": answer });
    const { exitCode, output } = await forward(course.path);
    assert.equal(exitCode, 0, output);
    assert.match(output, /^step-03-c\/a\.ts: kept as you resolved it\nstep-04-d\/a\.ts: carried$/m);
    assert.equal(read("step-04-d/a.ts"), answer);
  });

  it("carries new and removed files, and reports where a later step is not the same", async () => {
    writeFiles(course.path, { "step-01-a/new.ts": "new\n", "step-03-c/new.ts": "other\n" });
    rmSync(join(course.path, "step-01-a", "a.ts"));
    const { exitCode, output } = await forward(course.path);
    assert.equal(exitCode, 1);
    assert.equal(read("step-02-b/new.ts"), "new\n");
    assert.equal(existsSync(join(course.path, "step-02-b", "a.ts")), false);
    assert.match(
      output,
      /^step-03-c\/new\.ts: STUCK: is here already, and is not the new step-02/m,
    );
    assert.match(output, /^step-03-c\/a\.ts: STUCK: differs from step-02-b\/a\.ts, which is gone/m);
    assert.equal(read("step-03-c/a.ts"), later);
  });

  it("leaves READMEs and tests alone, and passes over a step that lacks a file", async () => {
    writeFiles(course.path, { "step-01-a/README.md": "edited", "step-01-a/step.test.ts": "" });
    const idle = { exitCode: 0, output: "no step has an edit to carry since the last commit\n" };
    assert.deepEqual(await forward(course.path), idle);
    edit("step-02-b/b.ts", "b", "B");
    const { output } = await forward(course.path);
    assert.equal(output, "step-03-c/b.ts: not in this step\nstep-04-d/b.ts: carried\n");
  });
});
