// What the bakery's servers have in common: their settings, and everything around their handlers.

import { join } from "node:path";
import { Server, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { oneOf, type ValueOf } from "../shared/terminal/values.ts";
import { bakeryInterceptors } from "./bakery-interceptors.ts";
import { bakeryMetrics } from "./bakery-metrics.ts";
import type { CatalogServiceClient } from "./gen/bakery/v1/catalog.ts";
import type { OrderServiceClient } from "./gen/bakery/v1/orders.ts";
import { HealthClient } from "./gen/grpc/health/v1/health.ts";
import { ServerReflectionClient } from "./gen/grpc/reflection/v1/reflection.ts";
import * as v1alpha from "./gen/grpc/reflection/v1alpha/reflection.ts";
import { metricsVariables, serveMetrics } from "./metrics/page.ts";
import { keysFolder, readPublicKey } from "./security/keys.ts";
import { type Health, serverHealth } from "./server/health.ts";
import { closeOnSignal, serve } from "./server/lifecycle.ts";
import { limitVariables, serverLimits } from "./server/limits.ts";
import { serverReflection } from "./server/reflection.ts";
import { reporting } from "./server/report.ts";
import { StatusError } from "./server/status-error.ts";
import { tlsCredentials, tlsSettings, tlsVariables } from "./server/tls.ts";
import { countUnknownCalls } from "./server/unknown-calls.ts";
import { startTracing } from "./tracing/tracing.ts";
import { tracingVariables } from "./tracing/variables.ts";

/** The proto files in binary form, for reflection: buf writes them beside the generated code. */
const descriptors = join(import.meta.dirname, "gen", "descriptors.binpb");

/** The environment variables of each server, besides its port. */
export const serviceVariables = {
  HOST: { default: "127.0.0.1", help: "the address to listen on" },
  KEYS: { default: "", help: "folder of the key pair; by default keys in this step's folder" },
  ...tlsVariables,
  DRAIN_MS: { default: 0, help: "how long the server drains after Ctrl+C" },
  REFLECTION: { default: "on", help: "off: hide the contract", problem: oneOf("on", "off") },
  ...metricsVariables,
  ...tracingVariables,
  ...limitVariables,
} as const;

export type ServiceSettings = { readonly PORT: number } & {
  readonly [Name in keyof typeof serviceVariables]: ValueOf<(typeof serviceVariables)[Name]>;
};

/** A server that has all it needs but its handlers. */
export interface BakeryService {
  /** Aborts when the server closes. */
  readonly closing: AbortSignal;
  readonly health: Health;
  /** Whether calls are recorded as spans. */
  readonly tracing: boolean;
  /** Serves until `closing` aborts, and ends the process. */
  serve(handlers: UntypedServiceImplementation): Promise<never>;
}

/**
 * Prepares a server. Once this resolves, its certificates and the CA's are on disk.
 * @param program what it is called in spans.
 * @param service its service, by the class that ts-proto generates. NOT_SERVING at first.
 */
export async function prepareService(
  program: string,
  { service, serviceName }: typeof CatalogServiceClient | typeof OrderServiceClient,
  settings: ServiceSettings,
): Promise<BakeryService> {
  const { tracing, flush } = await startTracing(program, settings);
  const reason = new StatusError(status.UNAVAILABLE, "the bakery is closing");
  const { draining, closing } = closeOnSignal({ reason, drainMs: settings.DRAIN_MS });
  const credentials = await tlsCredentials(tlsSettings(settings));
  const publicKey = await readPublicKey(settings.KEYS || keysFolder);
  const health = serverHealth({ "": "SERVING", [serviceName]: "NOT_SERVING" }, draining);
  const metrics = bakeryMetrics("server", { exemplars: tracing, service });

  const serveHandlers = async (handlers: UntypedServiceImplementation) => {
    const calls = await bakeryInterceptors({ tracing, metrics: metrics.calls, publicKey, closing });
    const interceptors = [...calls, health.interceptor];
    const server = new Server({ interceptors, ...serverLimits(settings) });
    server.addService(reporting(service), handlers);
    health.addToServer(server);
    const known = [HealthClient, ServerReflectionClient, v1alpha.ServerReflectionClient];
    const names = [serviceName, ...known.map(({ serviceName }) => serviceName)];
    if (settings.REFLECTION === "on") serverReflection(descriptors, names).addToServer(server);

    countUnknownCalls(metrics.registry, server, metrics.calls);
    await serveMetrics(metrics.registry, { host: settings.HOST, port: settings.METRICS_PORT });
    return serve(server, { credentials, host: settings.HOST, port: settings.PORT, flush }, closing);
  };
  return { closing, health, tracing, serve: serveHandlers };
}
