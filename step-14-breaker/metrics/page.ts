// Serves /metrics, the page that Prometheus reads.

import { once } from "node:events";
import { createServer } from "node:http";
import type { Registry } from "prom-client";
import { ExpectedError } from "../../shared/terminal/program.ts";

/** What a program with metrics reads from its environment. */
export const metricsVariables = {
  METRICS_PORT: {
    default: "9464",
    help: "the port of /metrics; 0 picks a free one, off serves none",
    problem: metricsPortProblem,
  },
} as const;

/** Returns what is wrong with METRICS_PORT, or undefined if it is valid. */
export function metricsPortProblem(text: string): string | undefined {
  if (text === "off" || (/^\d{1,5}$/.test(text) && Number(text) <= 65535)) return undefined;
  return `must be a port or off, not ${JSON.stringify(text)}`;
}

/**
 * Serves the page over plain HTTP: it is for machines inside, never for strangers. It stays until
 * the process ends, so that the last call, too, can be seen, and keeps no process alive.
 * @param port as METRICS_PORT.
 * @throws {ExpectedError} if it cannot listen.
 */
export async function serveMetrics(
  registry: Registry,
  { host, port }: { host: string; port: string },
): Promise<void> {
  if (port === "off") return;
  const server = createServer(async (request, response) => {
    if (request.method !== "GET" || request.url?.split("?")[0] !== "/metrics") {
      response.writeHead(404).end("GET /metrics is all there is\n");
      return;
    }
    try {
      const page = await registry.metrics();
      response.setHeader("content-type", registry.contentType).end(page);
    } catch (error) {
      console.error("/metrics failed:", error);
      response.writeHead(500).end();
    }
  });
  // Prometheus keeps its connection open between two reads. That must not delay the end.
  server.on("connection", (socket) => socket.unref());
  server.listen(Number(port), host);
  const address = host.includes(":") ? `[${host}]` : host;
  await once(server, "listening").catch((error: NodeJS.ErrnoException) => {
    throw new ExpectedError(`cannot serve metrics on ${address}:${port}: ${problem(error)}`);
  });
  server.unref();
  const bound = server.address();
  const boundPort = typeof bound === "object" ? bound?.port : port;
  console.log(`metrics on http://${address}:${boundPort}/metrics`);
}

function problem({ code, message }: NodeJS.ErrnoException): string {
  if (code !== "EADDRINUSE") return message;
  return "the port is in use; stop the program that has it, or choose another METRICS_PORT";
}
