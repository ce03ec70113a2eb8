// npm run forward, in small repositories of steps and in a copy of the course.

import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { findProblems } from "../check/rules.ts";
import { git } from "../git.ts";
import { Program } from "../play/programs.ts";
import { Workspace } from "../play/workspace.ts";
import { courseRoot, listSteps } from "../steps.ts";

async function forward(root: string, ...args: string[]) {
  const program = new Program({
    file: process.execPath,
    args: ["--import", "tsx/esm", join(root, "shared", "course", "author", "forward.ts"), ...args],
    cwd: root,
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  try {
    assert.ok(await program.ends(60_000), `still running: ${program.output()}`);
    return { exitCode: program.exitCode, output: program.output() };
  } finally {
    await program.stop();
  }
}

function commitAll(root: string): void {
  git(root, "add", ".");
  const author = ["-c", "user.name=A Baker", "-c", "user.email=baker@example.com"];
  git(root, ...author, "commit", "--quiet", "--no-gpg-sign", "--message=all");
}

describe("npm run forward", { concurrency: false }, () => {
  let root: string;

  const numbered = Array.from({ length: 12 }, (_, at) => `line ${at + 1}`);
  /** The file as step 03 has it: lines have moved. */
  const moved = numbered.toSpliced(1, 0, "of step 03", "of step 03 too");
  /** As steps 04 and 05 have it: line 6 is another. */
  const other = moved.with(7, "line 6 of step 04");
  const steps: Record<string, readonly string[]> = {
    "step-01-a": numbered,
    "step-02-b": numbered,
    "step-03-c": moved,
    "step-04-d": other,
    "step-05-e": other,
  };

  const write = (file: string, lines: readonly string[]) => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), `${lines.join("\n")}\n`);
  };
  const read = (file: string) => readFileSync(join(root, file), "utf8").trimEnd().split("\n");
  const edited = () => git(root, "status", "--porcelain").trimEnd().split("\n");
  const change = (lines: readonly string[], from: string, ...to: string[]) => {
    assert.ok(lines.includes(from));
    return lines.flatMap((line) => (line === from ? to : [line]));
  };

  before(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), "course-fixture-")));
    symlinkSync(join(courseRoot, "node_modules"), join(root, "node_modules"), "junction");
    for (const name of ["course", "terminal"]) {
      cpSync(join(courseRoot, "shared", name), join(root, "shared", name), {
        recursive: true,
      });
    }
    write("package.json", ['{ "type": "module" }']);
    write(".gitignore", ["node_modules", "gen/"]);
    for (const [step, lines] of Object.entries(steps)) {
      write(`${step}/buf.gen.yaml`, []);
      write(`${step}/README.md`, [step]);
      write(`${step}/step.test.ts`, [step]);
      write(`${step}/a.ts`, lines);
      if (step < "step-03") write(`${step}/early.ts`, numbered);
    }
    git(root, "init", "--quiet");
    commitAll(root);
  });

  afterEach(() => {
    git(root, "reset", "--quiet", "--hard");
    git(root, "clean", "--quiet", "--force", "-d");
  });

  after(() => rmSync(root, { recursive: true, force: true }));

  it("makes the edit in every later step, also where the lines have moved", async () => {
    write("step-01-a/a.ts", change(numbered, "line 11", "LINE 11", "new"));
    assert.deepEqual(await forward(root), {
      exitCode: 0,
      output: [2, 3, 4, 5].map((n) => `step-0${n}-${"abcde"[n - 1]}/a.ts: carried\n`).join(""),
    });
    for (const [step, lines] of Object.entries(steps)) {
      assert.deepEqual(read(`${step}/a.ts`), change(lines, "line 11", "LINE 11", "new"));
    }
  });

  it("begins with the step that is edited", async () => {
    write("step-04-d/a.ts", change(other, "line 12", "line 12", "line 13"));
    assert.equal((await forward(root)).output, "step-05-e/a.ts: carried\n");
    assert.deepEqual(edited(), [" M step-04-d/a.ts", " M step-05-e/a.ts"]);
  });

  it("does nothing the second time, and says so; also at the ends of a file", async () => {
    const text = ["first", ...numbered, "last"];
    write("step-01-a/early.ts", text);
    write("step-01-a/a.ts", change(numbered, "line 12", "line 12", "line 13"));
    const first = await forward(root);
    assert.match(first.output, /^step-05-e\/a\.ts: carried$/m);
    assert.deepEqual(read("step-02-b/early.ts"), text);
    const status = edited();
    const second = await forward(root);
    assert.equal(second.exitCode, 0);
    assert.match(second.output, /^step-02-b\/early\.ts: there already$/m);
    assert.match(second.output, /^step-05-e\/a\.ts: there already$/m);
    assert.doesNotMatch(second.output, /carried/);
    assert.deepEqual(edited(), status);
  });

  it("stops where the lines around are not the same, and changes nothing anywhere", async () => {
    write("step-01-a/a.ts", change(numbered, "line 7", "LINE 7"));
    write("step-01-a/early.ts", change(numbered, "line 7", "LINE 7"));
    const { exitCode, output } = await forward(root);
    assert.equal(exitCode, 1);
    assert.match(
      output,
      /^step-04-d\/a\.ts:9: the lines around the edit of step-03-c\/a\.ts:9 are not the same here:\n/,
    );
    assert.match(output, /\n {2}-line 7\n {2}\+LINE 7\n/);
    assert.match(
      output,
      /\nNothing has been changed\. Edit step-04-d\/a\.ts by hand, then run\n.*--keep step-04-d\/a\.ts\n$/,
    );
    assert.deepEqual(edited(), [" M step-01-a/a.ts", " M step-01-a/early.ts"]);
  });

  it("goes on with what was edited by hand", async () => {
    write("step-01-a/a.ts", change(numbered, "line 7", "LINE 7"));
    write("step-04-d/a.ts", change(other, "line 7", "LINE 7 of step 04"));
    write("step-01-a/early.ts", change(numbered, "line 7", "LINE 7"));
    const stopped = await forward(root, "--keep", "step-02-b/early.ts");
    assert.match(stopped.output, / --keep step-02-b\/early\.ts --keep step-04-d\/a\.ts\n$/);
    const { exitCode, output } = await forward(root, "--keep", "step-04-d/a.ts");
    assert.equal(exitCode, 0, output);
    assert.match(output, /^step-04-d\/a\.ts: kept as it is\nstep-05-e\/a\.ts: carried$/m);
    assert.deepEqual(read("step-03-c/a.ts"), change(moved, "line 7", "LINE 7"));
    assert.deepEqual(read("step-05-e/a.ts"), change(other, "line 7", "LINE 7 of step 04"));
  });

  it("ends with a step that was left as it was by hand", async () => {
    write("step-01-a/a.ts", change(numbered, "line 7", "LINE 7"));
    const { output } = await forward(root, "--keep", "step-04-d/a.ts");
    assert.match(output, /\nstep-04-d\/a\.ts: kept as it is\n$/);
    assert.deepEqual(read("step-05-e/a.ts"), other);
  });

  it("carries edits of two steps together", async () => {
    write("step-01-a/a.ts", change(numbered, "line 11", "LINE 11"));
    write("step-03-c/a.ts", change(moved, "of step 03 too", "of step 03, edited"));
    assert.equal((await forward(root)).exitCode, 0);
    const both = change(
      change(other, "line 11", "LINE 11"),
      "of step 03 too",
      "of step 03, edited",
    );
    assert.deepEqual(read("step-05-e/a.ts"), both);
    assert.deepEqual(read("step-02-b/a.ts"), change(numbered, "line 11", "LINE 11"));
  });

  it("refuses two edits of the same lines that differ", async () => {
    write("step-01-a/a.ts", change(numbered, "line 11", "LINE 11"));
    write("step-03-c/a.ts", change(moved, "line 11", "another"));
    const { exitCode, output } = await forward(root);
    assert.equal(exitCode, 1);
    assert.match(output, /^step-03-c\/a\.ts:13: the lines around the edit of step-02-b\/a\.ts:11 /);
    assert.deepEqual(read("step-02-b/a.ts"), numbered);
  });

  it("refuses an edit that fits in two places", async () => {
    write("step-04-d/a.ts", change(other, "line 9", "LINE 9"));
    write("step-05-e/a.ts", [...other, ...other]);
    const { exitCode, output } = await forward(root);
    assert.equal(exitCode, 1);
    assert.match(output, /^step-05-e\/a\.ts:\d+: the edit of step-04-d\/a\.ts:\d+ fits in more/);
  });

  it("carries new files and files that are gone, and skips steps that lack a file", async () => {
    write("step-02-b/proto/new.proto", ["new"]);
    write("step-02-b/early.ts", ["other"]);
    rmSync(join(root, "step-02-b", "a.ts"));
    rmSync(join(root, "step-03-c", "a.ts"));
    rmSync(join(root, "step-04-d", "a.ts"));
    const { exitCode, output } = await forward(root);
    assert.equal(exitCode, 0, output);
    assert.match(output, /^step-03-c\/early\.ts: skipped: this step does not have the file$/m);
    assert.equal(existsSync(join(root, "step-05-e", "a.ts")), false);
    assert.deepEqual(read("step-05-e/proto/new.proto"), ["new"]);
    assert.equal(existsSync(join(root, "step-03-c", "early.ts")), false);
  });

  it("refuses a new file where another stands, and to remove one that differs", async () => {
    write("step-01-a/new.ts", ["new"]);
    write("step-04-d/new.ts", ["another"]);
    const stands = await forward(root);
    assert.equal(stands.exitCode, 1);
    assert.match(stands.output, /^step-04-d\/new\.ts:1: stands here already, and is not the new/);
    assert.equal(existsSync(join(root, "step-02-b", "new.ts")), false);
    rmSync(join(root, "step-01-a", "new.ts"));
    rmSync(join(root, "step-01-a", "a.ts"));
    const gone = await forward(root);
    assert.equal(gone.exitCode, 1);
    assert.match(gone.output, /^step-03-c\/a\.ts:1: is not the same as step-02-b\/a\.ts, which is/);
    assert.ok(existsSync(join(root, "step-02-b", "a.ts")));
  });

  it("leaves READMEs, tests and generated code alone, and says so", async () => {
    write("step-01-a/README.md", ["edited"]);
    write("step-01-a/step.test.ts", ["edited"]);
    write("step-01-a/gen/a.ts", ["edited"]);
    assert.deepEqual(await forward(root), {
      exitCode: 0,
      output:
        "step-01-a/README.md: not carried: every step has its own\n" +
        "step-01-a/step.test.ts: not carried: every step has its own\n",
    });
    assert.equal(edited().length, 2);
  });

  it("carries what has been committed since a revision", async () => {
    const start = git(root, "rev-parse", "HEAD").trim();
    try {
      write("step-04-d/a.ts", change(other, "line 12", "LINE 12"));
      commitAll(root);
      assert.equal((await forward(root)).output, "no step has an edit to carry since HEAD\n");
      const { output } = await forward(root, "--since", "HEAD~1");
      assert.equal(output, "step-05-e/a.ts: carried\n");
    } finally {
      git(root, "reset", "--quiet", "--hard", start);
    }
  });

  it("says how it is used", async () => {
    const help = await forward(root, "--help");
    assert.equal(help.exitCode, 0);
    assert.match(help.output, /^Usage: npm run forward/);
    for (const args of [["--sinse", "HEAD"], ["step-01-a"]]) {
      const { exitCode, output } = await forward(root, ...args);
      assert.equal(exitCode, 2);
      assert.match(output, /\n\nUsage: npm run forward/);
      assert.doesNotMatch(output, /^ {4}at /m);
    }
    const idle = await forward(root, "--keep", "step-09/a.ts");
    assert.deepEqual(idle, {
      exitCode: 2,
      output: "--keep step-09/a.ts: no edit is carried there\n",
    });
    const unknown = await forward(root, "--since", "nowhere");
    assert.deepEqual(unknown, { exitCode: 2, output: 'git knows no revision "nowhere" here\n' });
  });
});

describe("npm run forward in the course", () => {
  it("carries a fix through every step, and the course stays true", async () => {
    const copy = new Workspace(courseRoot);
    try {
      git(copy.root, "init", "--quiet");
      commitAll(copy.root);
      const names = listSteps(copy.root).map(({ name }) => name);
      const fixes: [file: string, from: RegExp, to: string][] = [
        ["server/status-error.ts", /^\/\/ .*/, "// Another role."],
        ["client/unary-call.ts", /$/, "// The end.\n"],
        ["client.ts", /^await runProgram/m, "// Never a stack trace.\nawait runProgram"],
      ];
      for (const [file, from, to] of fixes) {
        const first = join(copy.root, names[0] ?? "", file);
        writeFileSync(first, readFileSync(first, "utf8").replace(from, to));
      }
      const { exitCode, output } = await forward(copy.root);
      assert.equal(exitCode, 0, output);
      assert.equal(output.match(/: carried$/gm)?.length, fixes.length * (names.length - 1));
      assert.deepEqual(findProblems(copy.root), []);
    } finally {
      copy.remove();
    }
  });

  it("needs git, and says so", async () => {
    const copy = new Workspace(courseRoot);
    try {
      const { exitCode, output } = await forward(copy.root);
      assert.equal(exitCode, 2);
      assert.match(output, /^git rev-parse failed: .*not a git repository/);
    } finally {
      copy.remove();
    }
  });
});
