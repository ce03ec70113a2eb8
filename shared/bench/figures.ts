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
  /** From 0. Ratios are taken within a round, whose samples lie close together in time. */
  readonly round: number;
  /** Processor time of the server for a unary call, in microseconds. */
  readonly unaryCpuUs: number;
  /** The same for one message of an upload; undefined without uploads. */
  readonly messageCpuUs?: number | undefined;
  /** Unary calls that one client process gets answered. */
  readonly callsPerSecond: number;
  /** Resident memory of the server after all calls. */
  readonly memoryMiB: number;
  /** From starting the process to the line that says listening. */
  readonly startMs: number;
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

/** Returns the spread of a figure over all rounds, or undefined if it was not measured. */
export function spreadOf({ samples }: Figures, server: string, figure: Figure): Spread | undefined {
  const ours = samples.filter((sample) => sample.server === server);
  return spread(ours.map((sample) => sample[figure] ?? Number.NaN));
}

/** The same, of the figure divided by that of the server `other` in the same round. */
export function ratioOf(
  { samples }: Figures,
  server: string,
  other: string,
  figure: Figure,
): Spread | undefined {
  const theirs = samples.filter((sample) => sample.server === other);
  const ratios = samples.map((sample) => {
    const against = theirs.find(({ round }) => round === sample.round)?.[figure] ?? Number.NaN;
    return sample.server === server ? (sample[figure] ?? Number.NaN) / against : Number.NaN;
  });
  return spread(ratios);
}
