// The benchmark's arithmetic and words, and one tiny measurement. It needs none of its own packages.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Program } from "../course/play/programs.ts";
import { courseRoot, listSteps } from "../course/steps.ts";
import { BARE, type Figures, NICE, ratioOf, type Sample, spread, withFeatures } from "./figures.ts";
import { claimsOf, putReport, tableOf, toText, verdictOn } from "./report.ts";
import { measure, measureAll } from "./run.ts";
import { equipStep, peer } from "./servers.ts";

const STEP_07 = "step-07-health";

function sample(server: string, unaryCpuUs: number, round = 0): Sample {
  return { server, round, unaryCpuUs, callsPerSecond: 5000, memoryMiB: 100, startMs: 700 };
}

function figures(...samples: readonly Sample[]): Figures {
  return {
    date: "2026-01-31",
    quick: true,
    rounds: 2,
    minutes: 1.5,
    machine: "Node.js v20.19.0, linux, 2 × a processor",
    versions: { fastify: "5.0.0" },
    servers: ["step-06-tls", STEP_07, BARE, withFeatures(NICE)],
    samples,
    failures: ["connect-node: it is away"],
  };
}

describe("statistics", () => {
  it("give the middle value, or the mean of the two in the middle", () => {
    assert.deepEqual(spread([5, 1, 3]), { median: 3, min: 1, max: 5 });
    assert.deepEqual(spread([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4 });
    assert.equal(spread([]), undefined);
  });

  it("compare within a round, because a machine is not always equally fast", () => {
    const slower = [sample(BARE, 100, 1), sample(STEP_07, 160, 1)];
    const both = figures(sample(BARE, 50), sample(STEP_07, 90), ...slower, sample(BARE, 1, 2));
    assert.deepEqual(ratioOf(both, STEP_07, BARE, "unaryCpuUs"), {
      median: 1.7000000000000002,
      min: 1.6,
      max: 1.8,
    });
    assert.equal(ratioOf(both, STEP_07, BARE, "messageCpuUs"), undefined);
  });
});

describe("the report", () => {
  const found = figures(
    sample("step-06-tls", 91),
    ...[80, 90].map((us, round) => sample(STEP_07, us, round)),
    ...[100, 85].map((us, round) => sample(withFeatures(NICE), us, round)),
    ...[50, 60].map((us, round) => sample(BARE, us, round)),
  );

  it("claims a difference only if all rounds agree", () => {
    assert.equal(verdictOn({ median: 0.9, min: 0.8, max: 0.99 }), "less in every round");
    assert.equal(verdictOn({ median: 1.1, min: 1.01, max: 1.2 }), "more in every round");
    assert.equal(verdictOn({ median: 0.9, min: 0.8, max: 1.1 }), "the rounds disagree");
  });

  it("says in words what was measured, and nothing else", () => {
    assert.deepEqual(claimsOf(found), [
      "**The same features:** CPU per unary call: step-07-health 85 µs, nice-grpc with features " +
        "93 µs; 0.93 times as much (0.80-1.06), the rounds disagree.",
      "**What the features cost in the steps:** CPU per unary call: step-07-health 85 µs, " +
        "bare grpc-js 55 µs; 1.55 times as much (1.50-1.60), more in every round.",
    ]);
    assert.deepEqual(claimsOf(figures()), []);
  });

  it("shows a range with every figure, and a dash for what was not measured", () => {
    const row = [BARE, "55 µs (50-60)", "-", "5,000 (5,000-5,000)", "100 MiB (100-100)"];
    assert.deepEqual(tableOf(found)[3], [...row, "0.70 s (0.70-0.70)"]);
    assert.match(toText(found), /^server +CPU per unary call +CPU per streamed message /);
  });

  it("takes the place of the previous one, with a heading for each step", () => {
    const place =
      "before\n<!-- measured: from here on `npm run bench -- --report` writes -->\nold\n" +
      "<!-- measured: to here -->\nafter\n";
    const report = putReport(place, found);
    assert.match(report, /^before\n<!-- measured: from[\s\S]*<!-- measured: to here -->\nafter\n$/);
    assert.doesNotMatch(report, /^old$/m);
    assert.match(report, /^### Step 07\n\n\[step-07-health\]\(.*0\.88 times as much/m);
    assert.match(report, /^Not measured: connect-node: it is away\.$/m);
    assert.equal(putReport(report, found), report);
    assert.throws(() => putReport("no place", found), /^Error: the README lacks the lines/);
  });
});

describe("a measurement", () => {
  const folder = mkdtempSync(join(tmpdir(), "bench-test-"));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("of the newest step and of bare grpc-js gives every figure", async () => {
    const step = await equipStep(listSteps().at(-1)?.name ?? "", folder);
    for (const subject of [step, peer(BARE, "bare.ts")]) {
      const sample = await measure(subject, { calls: 20, uploads: 2 });
      assert.equal(Object.keys(sample).length, 5);
      for (const [figure, value] of Object.entries(sample)) assert.ok(value && value > 0, figure);
    }
  });

  it("of a server that fails does not end the run", async () => {
    const subjects = [peer("broken", "missing.ts"), peer(BARE, "bare.ts")];
    const pace = { rounds: 1, seconds: 60, calls: 1, uploads: 1 };
    const failures: string[] = [];
    const note = (why: string) => failures.push(why);
    const samples = await measureAll(
      subjects,
      pace,
      () => 0,
      () => {},
      note,
    );
    assert.deepEqual(
      samples.map(({ server }) => server),
      [BARE],
    );
    assert.match(failures.join(), /^broken: broken did not start: /);
  });
});

describe("npm run bench", () => {
  it("says how it is used", async () => {
    const args = ["--import", "tsx", "shared/bench/bench.ts", "--fast"];
    const { env, execPath: file } = process;
    const program = new Program({ file, args, cwd: courseRoot, env });
    try {
      assert.ok(await program.ends(20_000));
      assert.equal(program.exitCode, 2);
      assert.match(program.output(), /^Unknown option '--fast'[\s\S]*^ {2}--quick /m);
    } finally {
      await program.stop();
    }
  });

  it("installs the same grpc-js as the steps use, on every platform", () => {
    const [course, own] = ["../../package-lock.json", "package-lock.json"].map((file) => {
      const lock = readFileSync(join(import.meta.dirname, file), "utf8");
      return JSON.parse(lock).packages;
    });
    const grpc = "node_modules/@grpc/grpc-js";
    assert.equal(own[grpc].version, course[grpc].version);
    for (const { optionalDependencies = {} } of Object.values<Record<string, object>>(own)) {
      for (const name of Object.keys(optionalDependencies)) assert.ok(own[`node_modules/${name}`]);
    }
  });
});
