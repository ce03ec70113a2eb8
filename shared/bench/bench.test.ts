// Tests the benchmark's arithmetic and report, and takes one tiny measurement. Needs no extra packages.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { listSteps } from "../course/steps.ts";
import { temporaryFolder } from "../testing/cleanup.ts";
import { type Figures, peers, type Sample, spread, spreadOf } from "./figures.ts";
import { claimsOf, putReport, tableOf } from "./report.ts";
import { measureAll } from "./run.ts";
import { equipStep, peer } from "./servers.ts";

const STEP_07 = "step-07-health";

function sample(server: string, unaryCpuUs: number, round = 0): Sample {
  return { server, round, unaryCpuUs, callsPerSecond: 5000, memoryMiB: 100, startMs: 700 };
}

function figures(...samples: readonly Sample[]): Figures {
  const servers = ["step-06-tls", STEP_07, peers.bare, peers.niceFeatured];
  return { about: "Measured once.", servers, samples, failures: ["connect-node: it is away"] };
}

describe("statistics", () => {
  it("give the middle value, or the mean of the two in the middle", () => {
    assert.deepEqual(spread([5, 1, 3]), { median: 3, min: 1, max: 5 });
    assert.deepEqual(spread([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4 });
    assert.equal(spread([]), undefined);
  });

  it("compare within a round, because a machine is not always equally fast", () => {
    const slower = [sample(peers.bare, 100, 1), sample(STEP_07, 200, 1), sample(peers.bare, 1, 2)];
    const all = figures(sample(peers.bare, 50), sample(STEP_07, 75), ...slower);
    const ratio = spreadOf(all, STEP_07, "unaryCpuUs", peers.bare);
    assert.deepEqual(ratio, { median: 1.75, min: 1.5, max: 2 });
    assert.equal(spreadOf(all, STEP_07, "messageCpuUs", peers.bare), undefined);
  });
});

describe("the report", () => {
  const found = figures(
    sample("step-06-tls", 91),
    ...[80, 90].map((us, round) => sample(STEP_07, us, round)),
    ...[100, 85].map((us, round) => sample(peers.niceFeatured, us, round)),
    ...[50, 60].map((us, round) => sample(peers.bare, us, round)),
  );

  it("says in words what was measured, and claims a difference only if all rounds agree", () => {
    assert.deepEqual(claimsOf(found), [
      "**The same features:** CPU per unary call: step-07-health 85 µs, nice-grpc with features " +
        "93 µs; 0.93 times as much (0.80-1.06), the rounds disagree.",
      "**What the features cost in the steps:** CPU per unary call: step-07-health 85 µs, " +
        "bare grpc-js 55 µs; 1.55 times as much (1.50-1.60), more in every round.",
    ]);
    assert.deepEqual(claimsOf(figures()), []);
  });

  it("shows a range where rounds differ, and a dash for what was not measured", () => {
    const row = [peers.bare, "55 µs (50-60)", "-", "5,000", "100 MiB", "0.70 s"];
    assert.deepEqual(tableOf(found)[3], row);
  });

  it("takes the place of the previous one, with a heading for each step", () => {
    const place =
      "before\n<!-- measured: from here on `npm run bench -- --report` writes -->\nold\n" +
      "<!-- measured: to here -->\nafter\n";
    const report = putReport(place, found);
    assert.match(report, /^before\n<!-- measured: from[\s\S]*<!-- measured: to here -->\nafter\n$/);
    assert.doesNotMatch(report, /^old$/m);
    assert.match(report, /^### Step 07\n\n\[step-07-.*0\.88 times as much, in one round only\.$/m);
    assert.match(report, /^Not measured: connect-node: it is away\.$/m);
    assert.equal(putReport(report, found), report);
    assert.throws(() => putReport("no place", found), /^Error: the README lacks the lines/);
  });
});

it("a measurement gives every figure, whatever becomes of other servers", async () => {
  using folder = temporaryFolder("bench");
  const step = await equipStep(listSteps().at(-1)?.name ?? "", folder.path);
  const subjects = [step, peer(peers.bare, "bare.ts"), peer("broken", "missing.ts")];
  const pace = { rounds: 1, seconds: 600, warmUpCalls: 20, calls: 20 };
  const { samples, failures } = await measureAll(subjects, pace, () => {});
  assert.deepEqual(
    samples.map(({ server }) => server),
    [step.name, peers.bare],
  );
  for (const { server, round, ...figures } of samples) {
    assert.equal(Object.values(figures).filter((value) => value && value > 0).length, 5, server);
  }
  assert.match(failures.join(), /^broken: broken did not start: /);
});

it("npm run bench installs the same grpc-js as the steps use, on every platform", () => {
  const [course, own] = ["../../package-lock.json", "package-lock.json"].map((file) => {
    return JSON.parse(readFileSync(join(import.meta.dirname, file), "utf8")).packages;
  });
  const grpc = "node_modules/@grpc/grpc-js";
  assert.equal(own[grpc].version, course[grpc].version);
  for (const { optionalDependencies = {} } of Object.values<Record<string, object>>(own)) {
    for (const name of Object.keys(optionalDependencies)) assert.ok(own[`node_modules/${name}`]);
  }
});
