// Measures every server, round by round.

import { openClient, repeat, UPLOAD_MESSAGES } from "./client.ts";
import type { Figures, Sample } from "./figures.ts";
import { type Subject, startServer } from "./servers.ts";

const CALLS_IN_FLIGHT = 16;
const UPLOADS_IN_FLIGHT = 4;
const CALLS_AN_UPLOAD = 100; // An upload takes much longer than a call.

/** How much a run measures. */
export interface Pace {
  readonly rounds: number;
  /** A later round begins only if it will probably end within this time after the start. */
  readonly seconds: number;
  /** Unary calls to each server in a round: first to warm up, then measured. */
  readonly warmUpCalls: number;
  readonly calls: number;
}

export const full: Pace = { rounds: 7, seconds: 3600, warmUpCalls: 10_000, calls: 10_000 };
export const quick: Pace = { rounds: 3, seconds: 110, warmUpCalls: 3000, calls: 2000 };

/**
 * Measures `subjects` one after the other in every round. Each measurement starts a new process, because
 * Node.js does not compile the same program equally well every time.
 * A server that fails does not end the run.
 * @param say is called with what starts next.
 */
export async function measureAll(
  subjects: readonly Subject[],
  pace: Pace,
  say: (what: string) => void,
): Promise<Pick<Figures, "samples" | "failures">> {
  const samples: Sample[] = [];
  const failures: string[] = [];
  const startedAt = performance.now();
  for (let round = 0; round < pace.rounds; round++) {
    const secondsARound = (performance.now() - startedAt) / 1000 / round;
    if (round > 0 && performance.now() / 1000 + secondsARound > pace.seconds) break;
    // Each round starts with a different server, so that none always follows the same load.
    const first = (round * 5) % subjects.length;
    for (const subject of [...subjects.slice(first), ...subjects.slice(0, first)]) {
      say(`round ${round + 1}: ${subject.name}`);
      try {
        samples.push({ server: subject.name, round, ...(await measure(subject, pace)) });
      } catch (error) {
        failures.push(`${subject.name}: ${error instanceof Error ? error.message : error}`);
      }
    }
  }
  return { samples, failures };
}

async function measure(subject: Subject, { warmUpCalls, calls }: Pace) {
  const server = await startServer(subject);
  const client = openClient(server.address, subject);
  /** Makes calls to warm up, then `times` more. Returns the cost of one of these. */
  const timed = async (call: () => Promise<unknown>, times: number, inFlight: number) => {
    await repeat(call, Math.ceil((times * warmUpCalls) / calls), inFlight);
    const before = await server.read();
    const startedAt = performance.now();
    await repeat(call, times, inFlight);
    const ms = performance.now() - startedAt;
    const { cpuUs } = await server.read();
    return { cpuUs: (cpuUs - before.cpuUs) / times, ms: ms / times };
  };
  try {
    const unary = await timed(client.unary, calls, CALLS_IN_FLIGHT);
    const uploads = Math.ceil(calls / CALLS_AN_UPLOAD);
    const upload = subject.uploads && (await timed(client.upload, uploads, UPLOADS_IN_FLIGHT));
    const { rssBytes } = await server.read();
    return {
      unaryCpuUs: unary.cpuUs,
      messageCpuUs: upload ? upload.cpuUs / UPLOAD_MESSAGES : undefined,
      callsPerSecond: 1000 / unary.ms,
      memoryMiB: rssBytes / 2 ** 20,
      startMs: server.startMs,
    };
  } finally {
    client.close();
    await server.stop();
  }
}
