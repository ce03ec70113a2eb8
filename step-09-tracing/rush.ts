// A lunch rush: makes calls of all kinds at a steady rate, so that there is something to count.

import { setTimeout } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { parseOptions } from "../shared/terminal/command-line.ts";
import { runProgram } from "../shared/terminal/program.ts";
import { bakeryMetrics } from "./bakery-metrics.ts";
import { channelSecurity, tokenProblem } from "./client/channel-credentials.ts";
import { addressProblem, connect } from "./client/connection.ts";
import { isServiceError } from "./commands/call-failure.ts";
import { guessCalls, rushCalls } from "./commands/rush-calls.ts";
import { metricsPortProblem, serveMetrics } from "./metrics/page.ts";
import { certsFolder } from "./security/certificate-store.ts";

/** If the server is too slow for the rate, the rush waits: it never makes more calls at a time. */
const MAX_UNDER_WAY = 100;
const DEADLINE_MS = 10_000;

async function main(): Promise<number> {
  const options = parseOptions({
    rounds: { value: "N", help: "how many rounds of 24 calls", default: 20, min: 1 },
    guesses: {
      value: "N",
      help: "instead of rounds: ask for N products that don't exist",
      default: 0,
      min: 1,
      max: 100_000,
    },
    rate: { value: "N", help: "how many calls a second", default: 50, min: 1, max: 1000 },
    address: {
      value: "HOST:PORT",
      help: "the server to dial",
      default: process.env.BAKERY_ADDRESS || "127.0.0.1:50051",
      problem: addressProblem,
    },
    token: {
      value: "TOKEN",
      help: "a baker's; BAKERY_TOKEN in the environment says it too",
      default: process.env.BAKERY_TOKEN ?? "",
      secret: true,
      problem: tokenProblem,
    },
    ca: {
      value: "FILE",
      help: "the certificate of the CA to trust; BAKERY_CA in the environment says it too",
      default: process.env.BAKERY_CA || `${certsFolder}/ca.pem`,
    },
    "metrics-port": {
      value: "PORT",
      help: "where to serve the rush's own /metrics meanwhile",
      default: "off",
      problem: metricsPortProblem,
    },
  });
  const metrics = bakeryMetrics("client");
  await serveMetrics(metrics.registry, { host: "127.0.0.1", port: options["metrics-port"] });
  const settings = { ...options, cert: "", key: "", plaintext: false };
  const security = channelSecurity(settings, options.address);
  const connection = connect(options.address, {
    deadlineMs: DEADLINE_MS,
    verbose: false,
    security,
    metrics: metrics.calls,
  });

  const ended = new Map<string, number>();
  const underWay = new Set<Promise<void>>();
  const startedAt = performance.now();
  const progress = setInterval(
    () => console.log(`${underWay.size} under way  ${summary(ended)}`),
    1000,
  );
  let made = 0;
  const calls =
    options.guesses > 0
      ? guessCalls(connection, options.guesses)
      : repeat(rushCalls(connection), options.rounds);
  for (const call of calls) {
    const early = startedAt + (made++ * 1000) / options.rate - performance.now();
    if (early > 0) await setTimeout(early);
    if (underWay.size >= MAX_UNDER_WAY) await Promise.race(underWay);
    const counted = outcome(call).then((name) => {
      ended.set(name, (ended.get(name) ?? 0) + 1);
      underWay.delete(counted);
    });
    underWay.add(counted);
  }
  await Promise.all(underWay);
  clearInterval(progress);
  console.log(`done  ${summary(ended)}`);
  connection.close();
  return 0;
}

/** Yields the calls of as many rounds. */
function* repeat<Call>(round: readonly Call[], times: number): Generator<Call> {
  for (let made = 0; made < times; made++) yield* round;
}

/** Returns the name of the status that a call ends with. */
async function outcome(call: () => Promise<unknown>): Promise<string> {
  try {
    await call();
    return "OK";
  } catch (error) {
    if (isServiceError(error)) return status[error.code] ?? "UNKNOWN";
    throw error;
  }
}

function summary(ended: ReadonlyMap<string, number>): string {
  const counts = [...ended]
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`);
  return counts.length > 0 ? counts.join("  ") : "no call has ended yet";
}

await runProgram(main);
