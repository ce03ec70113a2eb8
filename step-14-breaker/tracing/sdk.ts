// Sets up the SDK of OpenTelemetry: what it records, and where it sends that.

import { setTimeout } from "node:timers/promises";
import { context, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { TracerProvider } from "@opentelemetry/sdk-trace";
import { samplerOf } from "./sampler.ts";
import { spanQueue } from "./span-queue.ts";
import type { TracingVariables } from "./variables.ts";

const FLUSH_MS = 1000;

/** Returns a function that sends what is waiting, and resolves after FLUSH_MS at the latest. */
export function startSdk(
  service: string,
  collector: string,
  variables: TracingVariables,
): () => Promise<void> {
  // The exporter reads other standard variables itself, such as OTEL_EXPORTER_OTLP_HEADERS.
  const exporter = new OTLPTraceExporter({
    url: new URL("v1/traces", collector.replace(/\/?$/, "/")).href,
    timeoutMillis: variables.OTEL_EXPORTER_OTLP_TIMEOUT,
  });
  const queue = spanQueue(exporter, {
    size: variables.OTEL_BSP_MAX_QUEUE_SIZE,
    delayMs: variables.OTEL_BSP_SCHEDULE_DELAY,
  });
  const fromEnvironment = detectResources({ detectors: [envDetector] });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": service }).merge(fromEnvironment),
    sampler: samplerOf(variables),
    spanProcessors: [queue],
  });
  trace.setGlobalTracerProvider(provider);
  propagation.setGlobalPropagator(new W3CTraceContextPropagator()); // the header traceparent
  context.setGlobalContextManager(new AsyncLocalStorageContextManager()); // follows await
  // A collector that is away is no failure of this program, and the queue has reported it.
  const sent = () => provider.shutdown().catch(() => {});
  return () => Promise.race([sent(), setTimeout(FLUSH_MS, undefined, { ref: false })]);
}
