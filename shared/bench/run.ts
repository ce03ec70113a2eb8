// Measures every server, round by round.

import { openClient, repeat, UPLOAD_MESSAGES } from "./client.ts";
import type { Sample } from "./figures.ts";
import { type Running, type Subject, startServer } from "./servers.ts";

const CALLS_IN_FLIGHT = 16;
const UPLOADS_IN_FLIGHT = 4;

/** How much a run measures. */
export interface Pace {
  readonly rounds: number;
  /** No round begins that would probably end later than this after the start. */
  readonly seconds: number;
  /** Unary calls, and uploads, of one server in a round: first as many to warm up, then measured. */
  readonly calls: number;
  readonly uploads: number;
}

export const full: Pace = { rounds: 7, seconds: 3600, calls: 8000, uploads: 80 };
export const quick: Pace = { rounds: 3, seconds: 90, calls: 2000, uploads: 20 };

/**
 * Measures `subjects` one after the other in every round. Each gets a new process each time, because
 * Node.js does not compile the same program equally well every time.
 * @param elapsed seconds since the start of the run.
 * @param failed is told what could not be measured: one server that fails does not end the run.
 */
export async function measureAll(
  subjects: readonly Subject[],
  pace: Pace,
  elapsed: () => number,
  say: (what: string) => void,
  failed: (why: string) => void,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  const before = elapsed();
  for (let round = 0; round < pace.rounds; round++) {
    const secondsARound = round === 0 ? 0 : (elapsed() - before) / round;
    if (elapsed() + secondsARound > pace.seconds) break;
    // Each round begins with another server, so that none always follows the same one's load.
    const first = (round * 5) % subjects.length;
    for (const subject of [...subjects.slice(first), ...subjects.slice(0, first)]) {
      say(`round ${round + 1}: ${subject.name}`);
      try {
        samples.push({ server: subject.name, round, ...(await measure(subject, pace)) });
      } catch (error) {
        failed(`${subject.name}: ${error instanceof Error ? error.message : error}`);
      }
    }
  }
  return samples;
}

/** @throws {Error} if the server does not start, or a call fails. */
export async function measure(
  subject: Subject,
  { calls, uploads }: Pick<Pace, "calls" | "uploads">,
): Promise<Omit<Sample, "server" | "round">> {
  const server = await startServer(subject);
  const client = openClient(server.target);
  try {
    const unary = await timed(server, () => repeat(client.unary, calls, CALLS_IN_FLIGHT));
    const streamed = subject.uploads
      ? await timed(server, () => repeat(client.upload, uploads, UPLOADS_IN_FLIGHT))
      : undefined;
    const { rssBytes } = await server.read();
    return {
      unaryCpuUs: unary.cpuUs / calls,
      messageCpuUs: streamed && streamed.cpuUs / (uploads * UPLOAD_MESSAGES),
      callsPerSecond: calls / unary.seconds,
      memoryMiB: rssBytes / 2 ** 20,
      startMs: server.startMs,
    };
  } finally {
    client.close();
    await server.stop();
  }
}

/** Does `work` twice, first to warm up. Returns what the second time took. */
async function timed(
  server: Running,
  work: () => Promise<void>,
): Promise<{ cpuUs: number; seconds: number }> {
  await work();
  const before = await server.read();
  const startedAt = performance.now();
  await work();
  const seconds = (performance.now() - startedAt) / 1000;
  const after = await server.read();
  return { cpuUs: after.cpuUs - before.cpuUs, seconds };
}
