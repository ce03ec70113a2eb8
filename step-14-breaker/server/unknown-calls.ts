// Server: counts calls for methods that no service has.

import { getChannelzHandlers, type Server } from "@grpc/grpc-js";
import { Counter, type Registry } from "prom-client";
import type { CallMetrics } from "../metrics/call-metrics.ts";

const { GetServer } = getChannelzHandlers();

/**
 * grpc-js answers such calls itself, with UNIMPLEMENTED, and shows them to no interceptor. But
 * channelz, its own statistics, has the number of all calls.
 */
export function countUnknownCalls(registry: Registry, server: Server, known: CallMetrics): void {
  new Counter({
    name: "grpc_server_unknown_total",
    help: "Calls for methods that there are not, and requests that are no gRPC.",
    registers: [registry],
    async collect() {
      const all = await callsStarted(server);
      this.reset();
      this.inc(Math.max(0, all - known.opened));
    },
  });
}

function callsStarted(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = { server_id: String(server.getChannelzRef().id) };
    // In place of a whole call: the handler reads nothing but the request.
    GetServer({ request } as never, (error, response) => {
      if (error) reject(error);
      else resolve(Number(response?.server?.data?.calls_started ?? 0));
    });
  });
}
