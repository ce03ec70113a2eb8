// Starts to record spans, and sends them to a collector in batches.

import { setTimeout } from "node:timers/promises";
import { context, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { TracerProvider } from "@opentelemetry/sdk-trace";
import type { ValueOf } from "../../shared/terminal/values.ts";
import { samplerOf, samplerVariables } from "./sampler.ts";
import { spanQueue } from "./span-queue.ts";

const COLLECTOR = "the collector for traces, such as http://127.0.0.1:4318";

/** The standard variables of OpenTelemetry, as far as the course sets defaults of its own. */
export const tracingVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: { default: "", help: COLLECTOR, problem: urlProblem },
  JAEGER: { default: "", help: "the same, in short: Jaeger is a collector", problem: urlProblem },
  ...samplerVariables,
  OTEL_BSP_SCHEDULE_DELAY: { default: 1000, help: "how long spans wait to be sent together" },
  OTEL_BSP_MAX_QUEUE_SIZE: { default: 2048, min: 1, help: "how many spans may wait" },
  OTEL_EXPORTER_OTLP_TIMEOUT: { default: 1000, min: 1, help: "how long sending spans may take" },
} as const;

type Variables = typeof tracingVariables;

const FLUSH_MS = 1000;

export interface Tracing {
  /** False without a collector: then nothing is recorded, and no interceptor needed. */
  readonly tracing: boolean;
  /** Sends the spans that are waiting. Resolves after 1 s even if the collector doesn't answer. */
  flush(): Promise<void>;
}

/** @param service what this program is called in its spans, unless OTEL_SERVICE_NAME is set. */
export function startTracing(
  service: string,
  variables: { readonly [Name in keyof Variables]: ValueOf<Variables[Name]> },
): Tracing {
  const { JAEGER, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_BSP_MAX_QUEUE_SIZE } = variables;
  const collector = JAEGER || OTEL_EXPORTER_OTLP_ENDPOINT;
  if (collector === "") return { tracing: false, flush: async () => {} };

  // The exporter reads the other standard variables itself, such as OTEL_EXPORTER_OTLP_HEADERS.
  const exporter = new OTLPTraceExporter({
    url: new URL("v1/traces", collector.replace(/\/?$/, "/")).href,
    timeoutMillis: variables.OTEL_EXPORTER_OTLP_TIMEOUT,
  });
  const fromEnvironment = detectResources({ detectors: [envDetector] });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": service }).merge(fromEnvironment),
    sampler: samplerOf(variables),
    spanProcessors: [
      spanQueue(exporter, {
        size: OTEL_BSP_MAX_QUEUE_SIZE,
        delayMs: variables.OTEL_BSP_SCHEDULE_DELAY,
      }),
    ],
  });
  trace.setGlobalTracerProvider(provider);
  propagation.setGlobalPropagator(new W3CTraceContextPropagator()); // the header traceparent
  context.setGlobalContextManager(new AsyncLocalStorageContextManager()); // follows await
  // A collector that is away is no failure of this program: the queue has said so already.
  const sent = () => provider.shutdown().catch(() => {});
  const late = () => setTimeout(FLUSH_MS, undefined, { ref: false });
  return { tracing: true, flush: () => Promise.race([sent(), late()]) };
}

function urlProblem(text: string): string | undefined {
  const isUrl = text === "" || (/^https?:/.test(text) && URL.canParse(text));
  return isUrl ? undefined : `must be a URL such as http://127.0.0.1:4318, not "${text}"`;
}
