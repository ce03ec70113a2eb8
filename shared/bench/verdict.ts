// The targets of the course, and whether a run has met them.

import { CONNECT, type Figures, fairRatioOf, limitOf, NICE, startOf, stepsOf } from "./figures.ts";
import type { Workload } from "./jobs.ts";
import type { Spread } from "./statistics.ts";

const OF_BARE = 0.85;
const OF_STEP_BEFORE = 0.9;
const OF_CONNECT = 3;
const OF_NICE = 1;
const MAX_GROWTH_MIB = 32;
const MAX_START_MS = 1000;

const streams = ["server-stream", "client-stream", "bidi"] as const;
const serverLoads: readonly Workload[] = ["unary", ...streams];

export interface Verdict {
  readonly target: string;
  readonly met: boolean;
  /** The figures that decide. */
  readonly found: string;
}

/** A verdict on each target that the run has measured; see limitOf for what TLS is held against. */
export function judge(figures: Figures): Verdict[] {
  const steps = stepsOf(figures);
  const newest = steps.at(-1);
  if (newest === undefined) return [];
  const limit = limitOf(figures, newest);
  return [
    ...inCallsAndStreams(figures, newest, limit, OF_BARE),
    ...steps.flatMap((step, at) => {
      const before = steps[at - 1];
      return before === undefined ? [] : ratios(figures, step, before, OF_STEP_BEFORE, serverLoads);
    }),
    ...inCallsAndStreams(figures, newest, CONNECT, OF_CONNECT),
    ...inCallsAndStreams(figures, newest, NICE, OF_NICE),
    ...memory(figures, newest),
    ...starts(figures, steps),
  ];
}

function inCallsAndStreams(
  figures: Figures,
  subject: string,
  other: string,
  least: number,
): Verdict[] {
  return [
    ...ratios(figures, subject, other, least, ["unary"], " in unary calls"),
    ...ratios(figures, subject, other, least, streams, " in streams"),
  ];
}

function ratios(
  figures: Figures,
  subject: string,
  other: string,
  least: number,
  workloads: readonly Workload[],
  where = "",
): Verdict[] {
  const found = workloads.flatMap((workload) => {
    const ratio = fairRatioOf(figures, workload, subject, other);
    return ratio === undefined ? [] : [{ workload, ratio }];
  });
  if (found.length === 0) return [];
  return [
    {
      target: `${subject} does at least ${least} times as much as ${other}${where}`,
      met: found.every(({ ratio }) => ratio.median >= least),
      found: found.map(({ workload, ratio }) => `${workload} ${showRatio(ratio)}`).join(", "),
    },
  ];
}

function memory(figures: Figures, subject: string): Verdict[] {
  return figures.memory
    .filter((sample) => sample.subject === subject)
    .map(({ scenario, watches, growthMiB, levelSeconds, growthSeconds }) => {
      const who = scenario === "watchers" ? "watchers" : "readers that do not read";
      return {
        target: `${subject} grows by at most ${MAX_GROWTH_MIB} MiB with ${watches} ${who}`,
        met: growthMiB <= MAX_GROWTH_MIB,
        found: `${growthMiB.toFixed(1)} MiB in ${growthSeconds} s, after ${levelSeconds} s`,
      };
    });
}

function starts(figures: Figures, steps: readonly string[]): Verdict[] {
  const times = steps.flatMap((step) => {
    const time = startOf(figures, step);
    return time === undefined ? [] : [{ step, ms: time.median }];
  });
  const slowest = times.sort((a, b) => b.ms - a.ms)[0];
  if (slowest === undefined) return [];
  return [
    {
      target: `every step listens within ${MAX_START_MS / 1000} s of npx tsx`,
      met: slowest.ms <= MAX_START_MS,
      found: `${slowest.step} ${(slowest.ms / 1000).toFixed(2)} s`,
    },
  ];
}

/** `0.87 (0.84-0.90)` */
export function showRatio({ median, min, max }: Spread): string {
  const [middle = "", low = "", high = ""] = [median, min, max].map((value) => value.toFixed(2));
  return low === high ? middle : `${middle} (${low}-${high})`;
}

/** Verdicts as lines, the missed ones told by a word and not by a colour alone. */
export function showVerdicts(verdicts: readonly Verdict[]): string {
  return verdicts
    .map(({ met, target, found }) => `${met ? "met   " : "MISSED"}  ${target}: ${found}`)
    .join("\n");
}
