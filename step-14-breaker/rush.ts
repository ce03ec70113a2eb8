// A lunch rush: makes calls of all kinds at a steady rate, so that there is something to count.

import { status } from "@grpc/grpc-js";
import { parseOptions } from "../shared/terminal/command-line.ts";
import { type Call, makeCalls } from "../shared/terminal/load.ts";
import { runProgram } from "../shared/terminal/program.ts";
import { bakeryMetrics } from "./bakery-metrics.ts";
import { channelSecurity, tokenProblem } from "./client/channel-credentials.ts";
import { addressProblem, connect } from "./client/connection.ts";
import { isServiceError } from "./commands/call-failure.ts";
import { guessCalls, rushCalls } from "./commands/rush-calls.ts";
import { metricsPortProblem, serveMetrics } from "./metrics/page.ts";
import { certsFolder } from "./security/certificate-store.ts";

const DEADLINE_MS = 10_000;

async function main(): Promise<number> {
  const options = parseOptions({
    rounds: { value: "N", help: "how many rounds of 24 calls", default: 20, min: 1, max: 10_000 },
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
      help: "the catalog's server",
      default: process.env.BAKERY_ADDRESS || "127.0.0.1:50051",
      problem: addressProblem,
    },
    "orders-address": {
      value: "HOST:PORT",
      help: "the orders' server",
      default: process.env.ORDERS_ADDRESS || "127.0.0.1:50052",
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
  const connectTo = (address: string) =>
    connect(address, {
      deadlineMs: DEADLINE_MS,
      verbose: false,
      security: channelSecurity(settings, address),
      metrics: metrics.calls,
    });
  const connection = connectTo(options.address);
  const orders = connectTo(options["orders-address"]);

  const guesses = options.guesses > 0;
  const round = guesses ? guessCalls(connection, options.guesses) : rushCalls(connection, orders);
  const rounds = guesses ? 1 : options.rounds;
  await makeCalls(round.map(withStatus), { rounds, rate: options.rate });
  connection.close();
  orders.close();
  return 0;
}

/** Returns a function that makes the call, and resolves to the name of its status. */
function withStatus(call: () => Promise<unknown>): Call {
  return async () => {
    try {
      await call();
      return "OK";
    } catch (error) {
      if (isServiceError(error)) return status[error.code] ?? "UNKNOWN";
      throw error;
    }
  };
}

await runProgram(main);
