// What a run measures, and the arithmetic on it.

/** What the steps are compared with. The featured ones do for every call what step 07 does. */
export const peers = {
  bare: "bare grpc-js",
  nice: "nice-grpc",
  niceFeatured: "nice-grpc with features",
  connect: "connect-node",
  connectFeatured: "connect-node with features",
  rest: "REST on fastify",
} as const;

/** What one round says about one server. */
export interface Sample {
  readonly server: string;
  readonly round: number; // from 0
  readonly unaryCpuUs: number; // processor time of the server for a unary call
  readonly messageCpuUs?: number | undefined; // for one message of an upload, if it has uploads
  readonly callsPerSecond: number; // unary calls that one client process gets answered
  readonly memoryMiB: number; // resident memory of the server after all calls
  readonly startMs: number; // from starting the process to the line that says listening
}

export type Figure = Exclude<keyof Sample, "server" | "round">;

/** A run. */
export interface Figures {
  /** When, how long, and on which machine. */
  readonly about: string;
  /** The steps in their order, then what they are compared with. */
  readonly servers: readonly string[];
  readonly samples: readonly Sample[];
  /** What could not be measured, and why. */
  readonly failures: readonly string[];
}

/** A median, and the least and the greatest value. */
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
 * Returns the spread of a figure over all rounds; with `other`, of its ratio to the figure of that server in the
 * same round, because samples of one round lie close together in time. Undefined if it was not measured.
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
