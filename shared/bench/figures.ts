// Defines what a run measures, and computes medians and ratios from it.

/** What the steps are compared with. The featured peers do what step 07 does for every call. */
export const peers = {
  bare: "bare grpc-js",
  nice: "nice-grpc",
  niceFeatured: "nice-grpc with features",
  connect: "connect-node",
  connectFeatured: "connect-node with features",
  rest: "REST on fastify",
} as const;

/** What one round measured for one server. */
export interface Sample {
  readonly server: string;
  readonly round: number; // from 0
  readonly unaryCpuUs: number; // the server's processor time for a unary call
  readonly messageCpuUs?: number | undefined; // for one message of an upload; undefined without uploads
  readonly callsPerSecond: number; // unary calls that one client process completes
  readonly memoryMiB: number; // resident memory of the server after all calls
  readonly startMs: number; // from the start of the process to its "listening" line
}

export type Figure = Exclude<keyof Sample, "server" | "round">;

/** The results of a run. */
export interface Figures {
  /** When, how long, and on which machine. */
  readonly about: string;
  /** The steps in order, then their peers. */
  readonly servers: readonly string[];
  readonly samples: readonly Sample[];
  /** What could not be measured, and why. */
  readonly failures: readonly string[];
}

/** A median, with the smallest and the largest value. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Returns the spread of the numbers among `values`, or undefined if there are none. */
export function spread(values: readonly number[]): Spread | undefined {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const at = (index: number) => sorted[Math.floor(index)] ?? Number.NaN;
  const last = sorted.length - 1;
  if (last < 0) return undefined;
  return { median: (at(last / 2) + at((last + 1) / 2)) / 2, min: at(0), max: at(last) };
}

/**
 * Returns the spread of a figure over all rounds, or undefined if it was not measured. With `other`, returns
 * the spread of its ratio to that server's figure in the same round: samples of one round are close in time.
 */
export function spreadOf(
  { samples }: Figures,
  server: string,
  figure: Figure,
  other?: string,
): Spread | undefined {
  const values = samples.map((sample) => {
    const theirs = samples.find((one) => one.server === other && one.round === sample.round);
    const unit = other === undefined ? 1 : (theirs?.[figure] ?? Number.NaN);
    return sample.server === server ? (sample[figure] ?? Number.NaN) / unit : Number.NaN;
  });
  return spread(values);
}
