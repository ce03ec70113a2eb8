// Tests command lines, settings, output and programs by themselves.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { parseCommandLine, parseOptions } from "./command-line.ts";
import { makeCalls } from "./load.ts";
import { formatCents, formatColumns, formatCount } from "./output.ts";
import { UsageError } from "./program.ts";
import { readSettings } from "./settings.ts";
import { oneOf, parseDuration } from "./values.ts";

const commands = {
  get: { args: "ID", help: "one" },
  search: { args: "[WORD...]", help: "many" },
  order: { args: "LINE...", help: "at least one" },
};
const options = {
  address: { value: "HOST:PORT", help: "where", default: "here" },
  count: { value: "N", help: "how many", default: 5, min: 1, max: 9 },
  ping: { value: "PLACE", help: "where", default: [] as string[] },
  verbose: { help: "more", default: false },
};
const parse = (...argv: string[]) => parseCommandLine(commands, options, argv);

describe("a command line", () => {
  it("has a command, its arguments, and options with their types", () => {
    assert.deepEqual(parse("search", "a", "b"), {
      command: commands.search,
      args: ["a", "b"],
      options: { address: "here", count: 5, ping: [], verbose: false },
    });
    assert.deepEqual(
      parse("get", "x", "--count", "7", "--ping=1", "--ping", "2", "--verbose").options,
      { address: "here", count: 7, ping: ["1", "2"], verbose: true },
    );
    assert.deepEqual(parse("get", "--", "-x").args, ["-x"]);
  });

  for (const [argv, problem] of [
    [[], "no command given"],
    [["bake"], 'unknown command "bake"'],
    [["toString"], 'unknown command "toString"'],
    [["get"], "get needs ID"],
    [["order"], "order needs LINE..."],
    [["get", "a", "b"], 'unexpected argument "b"'],
    [["get", "a", "--bake"], "Unknown option '--bake'"],
    [["get", "a", "--count", "0"], '--count must be a whole number from 1 to 9, not "0"'],
    [["get", "a", "--count", "1e1"], '--count must be a whole number from 1 to 9, not "1e1"'],
  ] as const) {
    it(`is refused: ${argv.join(" ")}`, () => {
      assert.throws(
        () => parse(...argv),
        (error: unknown) => {
          assert.ok(error instanceof UsageError);
          assert.equal(error.message.split("\n")[0], problem);
          assert.match(error.message, /^ {2}search \[WORD\.\.\.\] {2}many$/m);
          return true;
        },
      );
    });
  }
});

describe("options alone", () => {
  const known = { ...options, token: { value: "T", help: "who", default: "sesame", secret: true } };

  it("are read and checked", () => {
    assert.equal(parseOptions(known, ["--count", "7"]).count, 7);
    assert.throws(() => parseOptions(known, ["get"]), /^Error: unexpected argument "get"/);
  });

  it("keep a secret default out of the usage text", () => {
    assert.throws(
      () => parseOptions(known, ["--nope"]),
      (error: Error) => {
        assert.match(error.message, /--token T +who$/m);
        return !error.message.includes("sesame");
      },
    );
  });
});

describe("a duration", () => {
  it("is a number and a unit", () => {
    const times = ["90s", "15m", "1h", "30d"].map((text) => parseDuration("--ttl", text));
    assert.deepEqual(times, [90, 900, 3600, 2_592_000]);
    for (const text of ["", "0s", "1", "h", "-1h", "1.5h", "1y"]) {
      assert.throws(() => parseDuration("--ttl", text), UsageError);
    }
  });
});

describe("settings", () => {
  const specs = {
    HOST: { default: "127.0.0.1", help: "where" },
    PORT: { default: 50051, max: 65535, help: "which" },
  };

  it("come from the environment or have their defaults", () => {
    assert.deepEqual(readSettings(specs, [], {}), { HOST: "127.0.0.1", PORT: 50051 });
    const environment = { HOST: "::1", PORT: "0" };
    assert.deepEqual(readSettings(specs, [], environment), { HOST: "::1", PORT: 0 });
    assert.deepEqual(readSettings(specs, [], { PORT: "" }).PORT, 50051);
  });

  it("are refused if they are invalid", () => {
    assert.throws(() => readSettings(specs, [], { PORT: "65536" }), UsageError);
    const lamp = { LAMP: { default: "on", help: "", problem: oneOf("on", "off") } };
    assert.deepEqual(readSettings(lamp, [], {}), { LAMP: "on" });
    assert.throws(() => readSettings(lamp, [], { LAMP: "of" }), /^Error: LAMP must be on or off$/);
    assert.throws(() => readSettings(specs, [], { PORT: "-1" }), UsageError);
    assert.throws(() => readSettings(specs, ["--port", "1"], {}), UsageError);
  });
});

describe("load", () => {
  it("is made of rounds, at a rate, of so many calls at a time", async (test) => {
    const printed: string[] = [];
    test.mock.method(console, "log", (line: string) => printed.push(line));
    let [underWay, most] = [0, 0];
    const call = (result: string) => async () => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 1));
      underWay--;
      return result;
    };
    await makeCalls([call("OK"), call("NO"), call("OK")], { rounds: 100, rate: 1_000_000 });
    assert.equal(printed.at(-1), "300 of 300 calls  OK 200  NO 100");
    assert.ok(most > 10 && most <= 100, `${most} at a time`);
    const startedAt = performance.now();
    await makeCalls([call("OK")], { rounds: 21, rate: 100 });
    assert.ok(performance.now() - startedAt > 190, "faster than its rate");
  });

  it("ends with the error of a call", async () => {
    const bug = new Error("a bug");
    await assert.rejects(makeCalls([() => Promise.reject(bug)], { rounds: 1, rate: 1 }), bug);
  });
});

describe("output", () => {
  it("aligns columns without trailing spaces", () => {
    const rows = [
      ["a", "bb", "c"],
      ["aaa", "", "c"],
      ["aa", "b"],
    ];
    assert.equal(formatColumns(rows), "a    bb  c\naaa      c\naa   b");
  });

  it("adds a noun to a number", () => {
    assert.deepEqual(
      [0, 1, 2].map((count) => formatCount(count, "unit")),
      ["0 units", "1 unit", "2 units"],
    );
  });

  it("shows cents as dollars", () => {
    assert.deepEqual([0, 5, 650].map(formatCents), ["$0.00", "$0.05", "$6.50"]);
  });
});

describe("a program", () => {
  const programFile = import.meta.resolve("./program.ts");
  const run = (body: string) => {
    const script = `
      import { ExpectedError, runProgram, UsageError } from ${JSON.stringify(programFile)};
      import { readFileSync } from "node:fs";
      await runProgram(async () => { ${body} });`;
    const args = ["--import", "tsx/esm", "--input-type=module", "--eval", script];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
    return { stdout, stderr, status };
  };

  for (const [title, body, stderr, status] of [
    ["an expected error", 'throw new ExpectedError("no bread")', /^no bread\n$/, 1],
    ["a usage error", 'throw new UsageError("no such loaf")', /^no such loaf\n$/, 2],
    ["a system error", 'readFileSync("/nowhere")', /^ENOENT: [^\n]+\n$/, 1],
    ["a bug", "return undefined.length", /^TypeError: .*\n[\s\S]* {4}at /, 1],
  ] as const) {
    it(`that throws ${title} prints it, with a stack trace only for a bug`, () => {
      const ended = run(body);
      assert.match(ended.stderr, stderr);
      assert.deepEqual([ended.stdout, ended.status], ["", status]);
    });
  }
});
