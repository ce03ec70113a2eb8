// The benchmark's own arithmetic and words. It needs none of its packages, and starts no server.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { Program } from "../course/play/programs.ts";
import { courseRoot } from "../course/steps.ts";
import {
  BARE,
  BARE_TLS,
  CONNECT,
  cpuOf,
  type Figures,
  fairRatioOf,
  type LoadSample,
  NICE,
  REST,
  rateOf,
  ratioOf,
} from "./figures.ts";
import type { Workload } from "./jobs.ts";
import { putReport, sentences } from "./report.ts";
import { median, percentile, spread } from "./statistics.ts";
import { listSubjects } from "./subjects.ts";
import { tablesOf, toMarkdown, toText } from "./tables.ts";
import { judge, showVerdicts } from "./verdict.ts";

function sample(
  subject: string,
  rate: number,
  round = 0,
  workload: Workload = "unary",
): LoadSample {
  return {
    subject,
    workload,
    round,
    seconds: 2,
    calls: rate * 2,
    messages: rate * 2,
    p50Ms: 1,
    p99Ms: 2,
    clientCpuUs: 1000,
    serverCpuUs: 2_000_000,
    rssMiB: 100,
  };
}

function figures(load: readonly LoadSample[], more: Partial<Figures> = {}): Figures {
  const names = ["step-01-a", "step-02-b", BARE, BARE_TLS, NICE, CONNECT, REST];
  return {
    date: "2026-01-31",
    quick: true,
    seconds: 90,
    machine: { node: "v20.19.0", cpu: "a processor", cores: 2, platform: "linux" },
    versions: { fastify: "5.0.0" },
    subjects: names.map((name) => ({
      name,
      isStep: name.startsWith("step-"),
      tls: name === "step-02-b" || name === BARE_TLS,
    })),
    load,
    bytes: [],
    starts: [],
    memory: [],
    failures: [],
    ...more,
  };
}

describe("statistics", () => {
  it("finds the middle, and the middle of the two in the middle", () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.equal(median([]), Number.NaN);
  });

  it("finds the value that a share does not exceed", () => {
    const hundred = Array.from({ length: 100 }, (_, at) => at + 1);
    assert.deepEqual(
      [0, 0.5, 0.99, 1].map((share) => percentile(hundred, share)),
      [1, 50, 99, 100],
    );
    assert.equal(percentile([7], 0.5), 7);
    assert.equal(percentile([], 0.5), Number.NaN);
  });

  it("tells how far values lie apart", () => {
    assert.deepEqual(spread([5, 1, 3]), { median: 3, min: 1, max: 5 });
    assert.equal(spread([]), undefined);
  });
});

describe("figures", () => {
  it("are compared within a round, because a machine is not always equally fast", () => {
    const load = [sample(BARE, 100, 0), sample("step-01-a", 90, 0)];
    const slower = [sample(BARE, 50, 1), sample("step-01-a", 40, 1)];
    const both = figures([...load, ...slower]);
    assert.equal(ratioOf(both, "unary", "step-01-a", BARE)?.max, 0.9);
    assert.equal(ratioOf(both, "unary", "step-01-a", BARE)?.min, 0.8);
    assert.deepEqual(rateOf(both, "unary", BARE), { median: 75, min: 50, max: 100 });
  });

  it("are missing where one side was not measured in that round", () => {
    const apart = figures([sample(BARE, 100, 0), sample("step-01-a", 90, 1)]);
    assert.equal(ratioOf(apart, "unary", "step-01-a", BARE), undefined);
    assert.equal(cpuOf(apart, "bidi", BARE), undefined);
  });

  it("give the server's time for a message", () => {
    assert.equal(cpuOf(figures([sample(BARE, 1000)]), "unary", BARE), 1000);
  });

  it("do not hold TLS against a step that is compared with one without", () => {
    const load = [sample(BARE, 100), sample(BARE_TLS, 50)];
    const steps = [sample("step-01-a", 90), sample("step-02-b", 45)];
    const all = figures([...load, ...steps]);
    assert.equal(ratioOf(all, "unary", "step-02-b", "step-01-a")?.median, 0.5);
    assert.equal(fairRatioOf(all, "unary", "step-02-b", "step-01-a")?.median, 1);
  });
});

describe("a verdict", () => {
  const targets = (all: Figures) =>
    judge(all).map(({ target, met, found }) => `${met} ${target}: ${found}`);

  it("is given on what was measured only", () => {
    assert.deepEqual(judge(figures([])), []);
    assert.deepEqual(targets(figures([sample(BARE_TLS, 100), sample("step-02-b", 85)])), [
      `true step-02-b does at least 0.85 times as much as ${BARE_TLS} in unary calls: unary 0.85`,
    ]);
  });

  it("is missed by one load that falls short", () => {
    const bidi = [sample(BARE_TLS, 100, 0, "bidi"), sample("step-02-b", 84, 0, "bidi")];
    const upload = [
      sample(BARE_TLS, 100, 0, "client-stream"),
      sample("step-02-b", 99, 0, "client-stream"),
    ];
    assert.deepEqual(targets(figures([...bidi, ...upload])), [
      `false step-02-b does at least 0.85 times as much as ${BARE_TLS} in streams: client-stream 0.99, bidi 0.84`,
    ]);
  });

  it("is given on memory and on the slowest start", () => {
    const memory = [20, 40].map((growthMiB) => ({
      subject: "step-02-b",
      scenario: "watchers" as const,
      watches: 1000,
      idleMiB: 90,
      levelMiB: 130,
      growthMiB,
      levelSeconds: 60,
      growthSeconds: 30,
    }));
    const starts = [
      { subject: "step-01-a", ms: 1200 },
      { subject: "step-01-a", ms: 1000 },
      { subject: "step-02-b", ms: 500 },
    ];
    assert.deepEqual(targets(figures([], { memory, starts })), [
      "true step-02-b grows by at most 32 MiB with 1000 watchers: 20.0 MiB in 30 s, after 60 s",
      "false step-02-b grows by at most 32 MiB with 1000 watchers: 40.0 MiB in 30 s, after 60 s",
      "false every step listens within 1 s of npx tsx: step-01-a 1.10 s",
    ]);
  });

  it("says in a word whether the target is met", () => {
    const verdicts = [
      { met: true, target: "one", found: "1" },
      { met: false, target: "two", found: "2" },
    ];
    assert.equal(showVerdicts(verdicts), "met     one: 1\nMISSED  two: 2");
  });
});

describe("a table", () => {
  const table = {
    title: "By step",
    note: "A note.",
    head: ["step", "calls"],
    rows: [
      ["step-01-a", "7"],
      ["other", "1,000"],
    ],
  };

  it("has its numbers on the right in the terminal", () => {
    assert.equal(
      toText(table),
      "By step. A note.\n\nstep       calls\nstep-01-a      7\nother      1,000",
    );
  });

  it("has a place to link to for each step in Markdown", () => {
    const markdown = toMarkdown(table);
    assert.match(markdown, /^\| step \| calls \|\n\| --- \| ---: \|$/m);
    assert.match(
      markdown,
      /^\| <a id="step-01"><\/a>\[step-01-a\]\(\.\.\/\.\.\/step-01-a\/README\.md\) \| 7 \|$/m,
    );
    assert.match(markdown, /^\| other \| 1,000 \|$/m);
  });

  it("is left out when there is nothing in it", () => {
    assert.deepEqual(tablesOf(figures([])), []);
    const titles = tablesOf(figures([sample("step-01-a", 10)])).map(({ title }) => title);
    assert.deepEqual(titles, ["By step", "Unary calls"]);
  });
});

describe("the report", () => {
  const place =
    "before\n<!-- measured: from here on `npm run bench -- --report` writes -->\nold\n" +
    "<!-- measured: to here -->\nafter\n";
  const all = figures([sample(BARE, 100), sample(REST, 300), sample(BARE_TLS, 90)]);

  it("takes the place of the one before, and nothing else", () => {
    const report = putReport(place, all);
    assert.match(report, /^before\n<!-- measured: from/);
    assert.match(report, /<!-- measured: to here -->\nafter\n$/);
    assert.doesNotMatch(report, /^old$/m);
    assert.equal(putReport(report, all), report);
    assert.throws(() => putReport("no place", all), /^Error: the README lacks the lines/);
  });

  it("draws a chart", () => {
    const report = putReport(place, all);
    assert.match(
      report,
      /^ {2}x-axis \["bare grpc-js", "bare grpc-js, TLS", "REST on fastify"\]$/m,
    );
    assert.match(report, /^ {2}bar \[100, 90, 300\]$/m);
  });

  it("says in words only what was measured", () => {
    assert.deepEqual(sentences(figures([])), []);
    assert.match(sentences(all).join("\n"), /answers 3\.0 times as many unary calls as bare/);
  });
});

describe("npm run bench", () => {
  it("says how it is used", async () => {
    const wrong: [args: string[], problem: RegExp][] = [
      [["--only", "unary,tea"], /^--only names "tea", which is none of unary, /],
      [["--fast"], /^Unknown option '--fast'/],
    ];
    const outcomes = wrong.map(async ([args, problem]) => {
      const program = new Program({
        file: process.execPath,
        args: ["--import", "tsx", "shared/bench/bench.ts", ...args],
        cwd: courseRoot,
        env: process.env,
      });
      try {
        assert.ok(await program.ends(20_000));
        assert.equal(program.exitCode, 2);
        assert.match(program.output(), problem);
        assert.match(program.output(), /^ {2}--quick /m);
      } finally {
        await program.stop();
      }
    });
    await Promise.all(outcomes);
  });

  it("knows every step, and what its contract offers", () => {
    const steps = listSubjects("anywhere").filter(({ isStep }) => isStep);
    assert.deepEqual(
      steps.slice(0, 3).map(({ offers }) => offers.length),
      [1, 2, 4],
    );
  });
});

describe("a fair comparison", () => {
  const versions = (file: string) => {
    const lock = JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8"));
    const of = (name: string) => lock.packages[`node_modules/${name}`]?.version;
    return ["@grpc/grpc-js", "@bufbuild/protobuf"].map(of);
  };

  it("has the same grpc-js under the steps and under what they are compared with", () => {
    assert.deepEqual(versions("package-lock.json"), versions("../../package-lock.json"));
  });
});
