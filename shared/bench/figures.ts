// What a run measures, and the arithmetic on it.

export const BARE = "bare grpc-js";
export const NICE = "nice-grpc";
export const CONNECT = "connect-node";
export const REST = "REST on fastify";

/** The name of a peer that does for every call what step 07 does. */
export function withFeatures(peer: string): string {
  return `${peer} with features`;
}

/** What one round says about one server. */
export interface Sample {
  readonly server: string;
  /** From 0. Ratios are taken within a round, whose samples lie close together in time. */
  readonly round: number;
  /** Processor time of the server for a unary call, in microseconds. */
  readonly unaryCpuUs: number;
  /** Processor time of the server for one message of an upload; undefined without uploads. */
  readonly messageCpuUs?: number | undefined;
  /** Unary calls that one client process gets answered in a second. */
  readonly callsPerSecond: number;
  /** Resident memory of the server after all calls. */
  readonly memoryMiB: number;
  /** From starting the process to the line that says listening. */
  readonly startMs: number;
}

export type Figure = Exclude<keyof Sample, "server" | "round">;

/** A run. */
export interface Figures {
  readonly date: string;
  readonly quick: boolean;
  readonly rounds: number;
  readonly minutes: number;
  /** Node.js, the system and the processor. */
  readonly machine: string;
  /** By package. */
  readonly versions: Readonly<Record<string, string>>;
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

/** Returns the spread of `values`, or undefined if there are none. */
export function spread(values: readonly number[]): Spread | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share)] ?? Number.NaN;
  const last = sorted.length - 1;
  if (last < 0) return undefined;
  return { median: (at(last / 2) + at((last + 1) / 2)) / 2, min: at(0), max: at(last) };
}

/** Returns the spread of a figure over all rounds, or undefined if it was not measured. */
export function spreadOf(figures: Figures, server: string, figure: Figure): Spread | undefined {
  return spread([...byRound(figures, server, figure).values()]);
}

/** Returns the figure of `server` divided by that of `other`, round by round. */
export function ratioOf(
  figures: Figures,
  server: string,
  other: string,
  figure: Figure,
): Spread | undefined {
  const others = byRound(figures, other, figure);
  const ratios = [...byRound(figures, server, figure)].map(
    ([round, value]) => value / (others.get(round) ?? Number.NaN),
  );
  return spread(ratios.filter((ratio) => !Number.isNaN(ratio)));
}

function byRound({ samples }: Figures, server: string, figure: Figure): Map<number, number> {
  const ofServer = samples.filter((sample) => sample.server === server);
  return new Map(
    ofServer.flatMap((sample) => {
      const value = sample[figure];
      return value === undefined ? [] : [[sample.round, value]];
    }),
  );
}
