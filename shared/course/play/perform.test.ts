// Tests the engine that performs READMEs: what passes, what fails and how, and what it doesn't change.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type TemporaryFolder, temporaryFolder } from "../../testing/cleanup.ts";
import { noSignals } from "../../testing/programs.ts";
import { writeFiles } from "../fixtures.ts";
import { courseRoot } from "../steps.ts";
import { type Outcome, type PerformOptions, perform } from "./perform.ts";
import { parseReadme } from "./readme.ts";
import { assertAsWritten, updateReadme } from "./report.ts";
import { linkModules } from "./workspace.ts";

const FENCE = "```";
let folder: TemporaryFolder;

before(() => {
  folder = temporaryFolder("fixture");
  linkModules(courseRoot, folder.path);
  // Announces a port and a process id, says bye when interrupted.
  const server = `
    console.log("listening on " + process.env.PORT);
    console.log("process " + process.pid);
    process.on("SIGINT", () => { console.log("bye"); process.exit(3); });
    setInterval(() => {}, 1000);`;
  writeFiles(folder.path, {
    "price.txt": "bread\n$6.50\n",
    "server.mjs": server,
    // Ends when its child has ended, and not by itself.
    "parent.mjs": `
      import { fork } from "node:child_process";
      process.on("SIGINT", () => {});
      fork("server.mjs").on("exit", () => process.exit(4));`,
  });
});

after(() => folder.remove());

/** A README of console blocks; \`\`\` is written as ''' here. */
function readmeOf(lines: readonly string[]) {
  return parseReadme("README.md", lines.join("\n").replaceAll("'''", FENCE));
}

function play(lines: readonly string[], options: PerformOptions = {}): Promise<Outcome[]> {
  return perform(folder.path, readmeOf(lines), { timeoutMs: 15_000, ...options });
}

/** Asserts that every act of a README with these lines goes as written. */
async function plays(lines: readonly string[], acts: number): Promise<void> {
  const outcomes = await play(lines);
  assertAsWritten(readmeOf(lines), outcomes);
  assert.equal(outcomes.filter(({ result }) => result === "as written").length, acts);
}

describe("a README that is right", () => {
  it("passes, in one terminal and in several", { skip: noSignals }, async () => {
    const oneTerminal = [
      "'''console",
      `$ node -e "console.error('wrong'); process.exitCode = 7"`,
      "wrong",
      "? 7",
      `$ EMPTY= NAME="a b" node -p process.env.NAME`,
      "a b",
      "'''",
    ];
    const open = ["'''console server", "$ node server.mjs", "listening on 50051", "'''"];
    const close = ["'''console server", "process [..]", "^C", "bye", "? 3", "'''"];
    await plays([...open, ...oneTerminal, ...close], 5);
  });

  it("runs npm and npx, with no settings of the person who plays it", async () => {
    const { env } = process;
    // SLOW_MS is a setting. Under bun, npm_execpath is a binary, which node cannot run.
    process.env = { ...env, SLOW_MS: "9999", npm_execpath: process.execPath };
    const tsx = ["$ npx tsx -p process.env.SLOW_MS+process.env.no_grpc_proxy", "undefined127.[..]"];
    try {
      await plays(["'''console", ...tsx, "$ npm --version", "[..].[..].[..]", "'''"], 2);
    } finally {
      process.env = env;
    }
  });

  it("interrupts what a program has started too, and lets it go on if a later block shows it", {
    skip: noSignals,
  }, async () => {
    const open = ["'''console server", "$ node parent.mjs", "listening on 50051", "process [..]"];
    const [, interrupted] = await play([...open, "^C", "bye", "? 4", "'''"]);
    assert.deepEqual(interrupted?.output, ["bye"]);
    const meanwhile = ["^C", "'''", "'''console", "$ node -p 1", "1", "'''", "'''console server"];
    const [, running, , ended] = await play([...open, ...meanwhile, "bye", "? 4", "'''"]);
    assert.deepEqual([running?.exitCode, ended?.output], [undefined, ["bye"]]);
  });

  it("keeps what a command prints, and not its warnings", async () => {
    const command = `node -e "console.error('warning'); console.log(6.5)"`;
    const lines = [`$ export A=$(${command})`, "$ node -p process.env.A", "6.5"];
    await plays(["'''console", ...lines, "'''"], 2);
  });

  it("does not run its exercises, which the reader has yet to solve", async () => {
    const exercise = ["## Your turn", "### 1. Two", "'''console", "$ node -p 1", "2", "'''"];
    await plays([...exercise, "## Then", "'''console", "$ node -p 1", "1", "'''"], 1);
  });

  it("edits a copy, and leaves the original alone", async () => {
    const show = `$ node -p "require('fs').readFileSync('price.txt', 'utf8').trim()"`;
    const edit = ["# Break it", "'''diff price.txt", " bread", "-$6.50", "+$7.50", "'''"];
    const then = ["'''console", show, "bread", "$7.50", "'''", "# Next", "'''console", show];
    await plays([...edit, ...then, "bread", "$6.50", "'''"], 2);
    assert.equal(readFileSync(join(folder.path, "price.txt"), "utf8"), "bread\n$6.50\n");
  });
});

describe("a README that is wrong", () => {
  const forever = `$ node -e "console.log(process.pid); setInterval(() => {}, 1000)"`;
  for (const [title, lines, line, reason] of [
    ["a line that differs", ["$ node -p 1", "1[..]", "$ node -p 2", "3"], 5, /3\ngot {7}2$/],
    ["a missing line", ["$ node -p 1", "1", "2"], 4, /expected {2}2\ngot .*nothing more/],
    ["a wrong exit code", ["$ node -p 1", "1", "? 5"], 2, /code 5\ngot {7}exit code 0$/],
    ["an exit code that is not shown", ['$ node -e "process.exitCode = 5"'], 2, /exit code 5$/],
    ["a command that never ends", [forever, "[..]"], 2, /^still running after 1\.5 s, stopped$/],
    ["a failing export", ["$ export A=$(node nowhere.mjs)"], 2, /got {7}exit code 1$/],
  ] as const) {
    it(`fails for ${title}, and names the line`, async () => {
      const timeoutMs = title === "a command that never ends" ? 1500 : 15_000;
      const outcomes = await play(["'''console", ...lines, "'''"], { timeoutMs });
      const outcome = outcomes.at(-1);
      assert.deepEqual([outcome?.result, outcome?.line], ["different", line]);
      assert.match(outcome?.reason ?? "", reason);
      if (timeoutMs > 1500) return;
      assert.throws(() => process.kill(Number(outcome?.output[0]), 0), /ESRCH/);
    });
  }

  for (const [title, lines, problem] of [
    ["output before a command", ["'''console", "hello", "'''"], /^Error: README\.md:1: .*begins/],
    ["an edit of other lines", ["'''diff price.txt", "-cake", "+pie", "'''"], /are not in it/],
    ["a pipe", ["'''console", "$ node -p 1 | cat", "'''"], /may not use/],
    ["a block in a list", ["- x", "", "  '''console", "  $ node -p 1", "  '''"], /not checked/],
  ] as const) {
    it(`is refused for ${title}`, async () => {
      await assert.rejects(async () => play(lines), problem);
    });
  }

  it("is skipped aloud where this machine lacks a tool", async () => {
    const [outcome] = await play(["'''console", "$ no-such-tool-here --version", "1", "'''"]);
    assert.deepEqual([outcome?.result, outcome?.reason], ["skipped", "no-such-tool-here"]);
  });

  it("is brought up to date, and passes then", async () => {
    const print = `$ node -e "console.log('at', 5, 'left 2'); process.exitCode = 4"`;
    const lines = ["'''console", print, "at [..] left 3", "'''", "end"];
    writeFiles(folder.path, { "README.md": lines.join("\n").replaceAll("'''", FENCE) });
    updateReadme(folder.path, readmeOf(lines), await play(lines));
    const updated = readFileSync(join(folder.path, "README.md"), "utf8");
    assert.match(updated, /\nat \[\.\.\] left 2\n\? 4\n```\nend$/);
    await plays(updated.split("\n"), 1);
  });
});
