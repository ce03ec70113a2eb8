// What a run has measured, and what follows from it.

import type { BytesResult, LoadResult, Workload } from "./jobs.ts";
import { median, type Spread, spread } from "./statistics.ts";

/** The limit that every gRPC server is held against, without TLS and with it. */
export const BARE = "bare grpc-js";
export const BARE_TLS = "bare grpc-js, TLS";
export const CONNECT = "connect-node";
export const NICE = "nice-grpc";
export const REST = "REST on fastify";
/** The bare server, writing to its streams whether or not they can take more. */
export const CARELESS = "bare grpc-js, careless";

/** One of the servers that were measured. */
export interface Measured {
  readonly name: string;
  readonly isStep: boolean;
  readonly tls: boolean;
}

/** One window of load on one server. */
export interface LoadSample extends LoadResult {
  readonly subject: string;
  readonly workload: Workload;
  /** From 0. Samples of one round were taken one right after the other. */
  readonly round: number;
  /** Processor time of the server in that window, in microseconds. */
  readonly serverCpuUs: number;
  readonly rssMiB: number;
}

export interface MemorySample {
  readonly subject: string;
  readonly scenario: "watchers" | "slow-reader";
  readonly watches: number;
  readonly idleMiB: number;
  /** The highest in the first period, and how much higher it was at its highest in the second. */
  readonly levelMiB: number;
  readonly growthMiB: number;
  readonly levelSeconds: number;
  readonly growthSeconds: number;
}

export interface Figures {
  readonly date: string;
  readonly quick: boolean;
  readonly seconds: number;
  readonly machine: { node: string; cpu: string; cores: number; platform: string };
  readonly versions: Readonly<Record<string, string>>;
  /** Steps in their order, then what they are compared with. */
  readonly subjects: readonly Measured[];
  readonly load: readonly LoadSample[];
  readonly bytes: readonly (BytesResult & { subject: string })[];
  readonly starts: readonly { subject: string; ms: number }[];
  readonly memory: readonly MemorySample[];
  /** What could not be measured, and why. */
  readonly failures: readonly string[];
}

export function samplesOf(figures: Figures, workload: Workload, subject: string): LoadSample[] {
  return figures.load.filter(
    (sample) => sample.workload === workload && sample.subject === subject,
  );
}

/** Messages in a second (of a unary load: calls), and their median over the rounds. */
export function rateOf(figures: Figures, workload: Workload, subject: string): Spread | undefined {
  return spread(samplesOf(figures, workload, subject).map(rate));
}

/** Processor time of the server for a message, in microseconds. */
export function cpuOf(figures: Figures, workload: Workload, subject: string): number | undefined {
  const samples = samplesOf(figures, workload, subject);
  if (samples.length === 0) return undefined;
  return median(samples.map(({ serverCpuUs, messages }) => serverCpuUs / messages));
}

/** How many times as many messages `subject` does as `other`, round by round. */
export function ratioOf(
  figures: Figures,
  workload: Workload,
  subject: string,
  other: string,
): Spread | undefined {
  const others = new Map(
    samplesOf(figures, workload, other).map((sample) => [sample.round, rate(sample)]),
  );
  return spread(
    samplesOf(figures, workload, subject).flatMap((sample) => {
      const against = others.get(sample.round);
      return against === undefined ? [] : [rate(sample) / against];
    }),
  );
}

/** The same, each against the bare server of its own transport: TLS does not count against either. */
export function fairRatioOf(
  figures: Figures,
  workload: Workload,
  subject: string,
  other: string,
): Spread | undefined {
  const [ours, theirs] = [limitOf(figures, subject), limitOf(figures, other)];
  if (ours === theirs) return ratioOf(figures, workload, subject, other);
  const above = ratioOf(figures, workload, subject, ours);
  const below = ratioOf(figures, workload, other, theirs);
  if (above === undefined || below === undefined) return undefined;
  return {
    median: above.median / below.median,
    min: above.min / below.max,
    max: above.max / below.min,
  };
}

/** The bare server that `subject` is held against. */
export function limitOf(figures: Figures, subject: string): string {
  const tls = figures.subjects.some(({ name, tls }) => name === subject && tls);
  return tls ? BARE_TLS : BARE;
}

/** Time from the command to "listening", in milliseconds. */
export function startOf(figures: Figures, subject: string): Spread | undefined {
  return spread(figures.starts.filter((start) => start.subject === subject).map(({ ms }) => ms));
}

export function stepsOf(figures: Figures): string[] {
  return figures.subjects.filter(({ isStep }) => isStep).map(({ name }) => name);
}

function rate({ messages, seconds }: LoadSample): number {
  return messages / seconds;
}
