// Starts to record spans, if there is a collector to send them to.

import type { TracingVariables } from "./variables.ts";

export interface Tracing {
  /** False without a collector. Then interceptors that record spans aren't needed. */
  readonly tracing: boolean;
  /** Sends the spans that are waiting. Resolves after 1 s even if the collector doesn't answer. */
  readonly flush: () => Promise<void>;
}

/** @param service what this program is called in its spans, unless OTEL_SERVICE_NAME is set. */
export async function startTracing(service: string, variables: TracingVariables): Promise<Tracing> {
  const collector = variables.JAEGER || variables.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (collector === "") return { tracing: false, flush: async () => {} };
  // Loading the SDK takes a while, so programs that don't need it do without.
  const { startSdk } = await import("./sdk.ts");
  return { tracing: true, flush: startSdk(service, collector, variables) };
}
