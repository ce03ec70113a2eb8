// The engine that performs READMEs: what passes, what fails and how, and that nothing is left behind.

import assert from "node:assert/strict";
import { once } from "node:events";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { courseRoot } from "../steps.ts";
import { type Outcome, type PerformOptions, perform } from "./perform.ts";
import { noSignals, Program } from "./programs.ts";
import { parseReadme } from "./readme.ts";
import { describeDifference, updateReadme } from "./report.ts";

const FENCE = "```";
let root: string;

before(() => {
  root = mkdtempSync(join(tmpdir(), "course-fixture-"));
  symlinkSync(join(courseRoot, "node_modules"), join(root, "node_modules"), "junction");
  writeFileSync(join(root, "price.txt"), "bread\n$6.50\n");
  // Announces a port and a process id, says bye when interrupted.
  const server = `
    console.log("listening on " + process.env.PORT);
    console.log("process " + process.pid);
    process.on("SIGINT", () => { console.log("bye"); process.exit(3); });
    setInterval(() => {}, 1000);`;
  writeFileSync(join(root, "server.mjs"), server);
});

after(() => rmSync(root, { recursive: true, force: true }));

/** A README of console blocks; \`\`\` is written as ''' here. */
function readmeOf(...lines: string[]) {
  return parseReadme("README.md", lines.join("\n").replaceAll("'''", FENCE));
}

function play(lines: string[], options: PerformOptions = {}): Promise<Outcome[]> {
  return perform(root, readmeOf(...lines), { timeoutMs: 15_000, ...options });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("a README that is right", () => {
  it("passes, in one terminal and in several", { skip: noSignals }, async () => {
    const outcomes = await play([
      "# Title",
      "'''console",
      `$ node -p "1 + 1"`,
      "2",
      `$ node -e "console.error('wrong'); process.exitCode = 7"`,
      "wrong",
      "? 7",
      "'''",
      "'''console server",
      "$ node server.mjs",
      "listening on 50051",
      "'''",
      "'''console",
      `$ EMPTY= NAME="a b" node -p process.env.NAME`,
      "a b",
      "'''",
      "'''console server",
      "process [..]",
      "^C",
      "bye",
      "? 3",
      "'''",
    ]);
    assert.deepEqual(
      outcomes.map(({ result }) => result),
      Array(6).fill("as written"),
    );
  });

  it("passes while another program has its port", async () => {
    const other = createServer();
    // Fails where something listens already: just as good.
    other.listen(50051, "127.0.0.1").on("error", () => {});
    await once(other, "listening").catch(() => {});
    try {
      const listen = "require('net').createServer().listen(50051, '127.0.0.1').unref()";
      const [outcome] = await play(["'''console", `$ node -e "${listen}"`, "'''"]);
      assert.equal(outcome?.result, "as written", outcome?.reason);
    } finally {
      other.close();
    }
  });
});

describe("a README that is wrong", () => {
  it("fails for a line that differs, and names it", async () => {
    const lines = ["text", "", "'''console", `$ node -p "[1,2].join()"`, "1,3", "'''"];
    const [outcome] = await play(lines);
    assert.equal(outcome?.result, "different");
    assert.equal(outcome.line, 5);
    const words = describeDifference(readmeOf(...lines), outcome);
    assert.match(words, /^README\.md:5\n.*node -p.*\n {2}expected {2}1,3\n {2}got {7}1,2\n/);
  });

  for (const [title, lines, line] of [
    ["a missing line", ["$ node -p 1", "1", "2"], 4],
    ["a line too many", ["$ node -p 1"], 2],
    ["a wrong exit code", ["$ node -p 1", "1", "? 5"], 2],
    ["an exit code that is not shown", ['$ node -e "process.exitCode = 5"'], 2],
  ] as const) {
    it(`fails for ${title}`, async () => {
      const [outcome] = await play(["'''console", ...lines, "'''"]);
      assert.equal(outcome?.result, "different");
      assert.equal(outcome.line, line);
    });
  }

  it("fails for a server that does not say what it should, at once", async () => {
    const lines = ["'''console server", "$ node server.mjs", "listening on 50055", "'''"];
    const [outcome] = await play(lines, { timeoutMs: 60_000 });
    assert.equal(outcome?.result, "different");
    assert.match(outcome.reason, /got {7}listening on 50051/);
  });

  it("stops a command that never ends, reports it, and leaves no process", async () => {
    const pids: number[] = [];
    const print = (printed: readonly string[]) => pids.push(...printed.map(Number));
    const forever = `$ node -e "console.log(process.pid); setInterval(() => {}, 1000)"`;
    const [outcome] = await play(["'''console", forever, "[..]", "'''"], {
      timeoutMs: 1500,
      audience: { print },
    });
    assert.equal(outcome?.result, "different");
    assert.match(outcome.reason, /^still running after 1\.5 s/);
    assert.equal(pids.length, 1);
    assert.deepEqual(pids.filter(isAlive), []);
  });

  for (const [title, lines, problem] of [
    [
      "output before a command",
      ["'''console", "hello", "'''"],
      /README\.md:1: .*begins with "\$ "/,
    ],
    ["a pipe", ["'''console", "$ node -p 1 | cat", "'''"], /may not use/],
    ["a block in a list", ["- x", "", "  '''console", "  $ node -p 1", "  '''"], /not checked/],
  ] as const) {
    it(`is refused for ${title}`, async () => {
      await assert.rejects(async () => play([...lines]), problem);
    });
  }
});

describe("a performance", () => {
  it("skips aloud what this machine has no tool for", async () => {
    const lines = ["'''console", "$ no-such-tool-here --version", "1", "'''"];
    const [outcome] = await play(lines);
    assert.equal(outcome?.result, "skipped");
    assert.equal(outcome.reason, "no-such-tool-here");
  });

  it("edits a copy, undoes the edit with the section, and leaves the original alone", async () => {
    const show = `$ node -p "require('fs').readFileSync('price.txt', 'utf8').trim()"`;
    const outcomes = await play([
      "# Break it",
      "'''diff price.txt",
      " bread",
      "-$6.50",
      "+$7.50",
      "'''",
      "'''console",
      show,
      "bread",
      "$7.50",
      "'''",
      "# Next",
      "'''console",
      show,
      "bread",
      "$6.50",
      "'''",
    ]);
    // "$7.50" begins no command: there is no space after the dollar sign.
    assert.deepEqual(
      outcomes.map(({ reason }) => reason),
      ["", ""],
    );
    assert.equal(readFileSync(join(root, "price.txt"), "utf8"), "bread\n$6.50\n");
    await assert.rejects(
      play(["'''diff price.txt", "-cake", "+pie", "'''"]),
      /price\.txt: .* do not stand in it/,
    );
  });

  it("keeps what a command has printed in the environment", async () => {
    const outcomes = await play([
      "'''console",
      `$ export BAKERY_TOKEN=$(node -p "'a b'")`,
      "$ node -p process.env.BAKERY_TOKEN",
      "a b",
      `$ node -p 'process.argv[1] + "$BAKERY_TOKEN"' "<$BAKERY_TOKEN>"`,
      "<a b>$BAKERY_TOKEN",
      "$ unset BAKERY_TOKEN",
      "$ node -p process.env.BAKERY_TOKEN",
      "undefined",
      `$ export BAKERY_TOKEN=$(node -e "process.exitCode = 3")`,
      "'''",
    ]);
    assert.deepEqual(
      outcomes.map(({ result, line }) => [line, result].join(" ")),
      [
        "2 as written",
        "3 as written",
        "5 as written",
        "7 as written",
        "8 as written",
        "10 different",
      ],
    );
  });

  it("gives a command what stands between <<'EOF' and EOF", async () => {
    const [outcome] = await play([
      "'''console",
      `$ node -p "fs.readFileSync(0, 'utf8').toUpperCase()" <<'EOF'`,
      "> two words",
      `> {"a": "b c"}`,
      "> EOF",
      "TWO WORDS",
      `{"A": "B C"}`,
      "",
      "'''",
    ]);
    assert.equal(outcome?.result, "as written", outcome?.reason);
  });

  it("does not see the settings of the person who runs it", async () => {
    process.env.SLOW_MS = "9999";
    try {
      const [outcome] = await play([
        "'''console",
        "$ node -p process.env.SLOW_MS",
        "undefined",
        "'''",
      ]);
      assert.equal(outcome?.result, "as written", outcome?.reason);
    } finally {
      delete process.env.SLOW_MS;
    }
  });

  it("leaves no process and no copy behind when it is interrupted", {
    skip: noSignals,
  }, async () => {
    const lines = ["'''console server", "$ node server.mjs", "listening on 50051", "'''"];
    const forever = ["'''console", `$ node -e "setInterval(() => {}, 1000)"`, "'''"];
    const script = join(root, "engine.mts");
    const module = (name: string) =>
      JSON.stringify(pathToFileURL(join(import.meta.dirname, name)).href);
    const text = JSON.stringify([...lines, ...forever].join("\n").replaceAll("'''", FENCE));
    writeFileSync(
      script,
      `import { perform } from ${module("perform.ts")};
      import { parseReadme } from ${module("readme.ts")};
      await perform(${JSON.stringify(root)}, parseReadme("README.md", ${text}), {
        audience: { print: (lines) => console.log(lines.join("\\n")) } });`,
    );
    const tmp = mkdtempSync(join(tmpdir(), "course-tmp-"));
    const engine = new Program({
      file: process.execPath,
      args: ["--import", "tsx/esm", script],
      cwd: courseRoot,
      env: { ...process.env, TMPDIR: tmp, TEMP: tmp, TMP: tmp },
    });
    const pid = () => Number(/^process (\d+)$/m.exec(engine.output())?.[1]);
    try {
      assert.ok(await engine.until(() => pid() > 0, 20_000), engine.output());
      assert.equal(isAlive(pid()), true);
      engine.interrupt();
      assert.ok(await engine.ends(10_000));
      const deadline = Date.now() + 5000;
      while (isAlive(pid()) && Date.now() < deadline) await new Promise(setImmediate);
      assert.equal(isAlive(pid()), false);
      assert.deepEqual(
        readdirSync(tmp).filter((name) => name.startsWith("course-")),
        [],
      );
    } finally {
      await engine.stop();
      rmSync(tmp, { recursive: true, force: true });
    }
  });

  it("brings a README up to date, and it passes then", async () => {
    const file = join(root, "README.md");
    const lines = [
      "'''console",
      `$ node -e "console.log('at', 5, 'left 2'); process.exitCode = 4"`,
    ];
    const source = [...lines, "at [..] left 3", "'''", "end"].join("\n").replaceAll("'''", FENCE);
    writeFileSync(file, source);
    const readme = parseReadme("README.md", source);
    assert.equal(updateReadme(root, readme, await perform(root, readme)), 1);
    const updated = readFileSync(file, "utf8");
    assert.match(updated, /\nat \[\.\.\] left 2\n\? 4\n```\nend$/);
    const [outcome] = await perform(root, parseReadme("README.md", updated));
    assert.equal(outcome?.result, "as written");
  });
});
