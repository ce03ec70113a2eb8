// What the bakery counts: the calls of all its methods, and what its process uses.

import type { ServiceDefinition } from "@grpc/grpc-js";
import { collectDefaultMetrics, Registry, type RegistryContentType, register } from "prom-client";
import { CatalogServiceService } from "./gen/bakery/v1/catalog.ts";
import { OrderServiceService } from "./gen/bakery/v1/orders.ts";
import { HealthService } from "./gen/grpc/health/v1/health.ts";
import { ServerReflectionService } from "./gen/grpc/reflection/v1/reflection.ts";
import * as v1alpha from "./gen/grpc/reflection/v1alpha/reflection.ts";
import { CallMetrics, type Method } from "./metrics/call-metrics.ts";

/** What every server has beside its own service. */
const everywhere = [HealthService, ServerReflectionService, v1alpha.ServerReflectionService];
const all = [CatalogServiceService, OrderServiceService, ...everywhere];

/**
 * Returns the metrics of this process, which serves or makes the bakery's calls. prom-client puts
 * every new metric into `register` unless told otherwise: each process has one page.
 * @param options.exemplars shows a trace for each bucket of the histogram.
 * @param options.service the server's own service; by default, all services are counted.
 */
export function bakeryMetrics(
  side: "server" | "client",
  { exemplars = false, service }: { exemplars?: boolean; service?: ServiceDefinition } = {},
): {
  registry: Registry;
  calls: CallMetrics;
} {
  // Only the format OpenMetrics has exemplars. The type of `register` knows the default alone.
  const page: Pick<Registry<RegistryContentType>, "setContentType"> = register;
  if (exemplars) page.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  collectDefaultMetrics();
  const services = service === undefined ? all : [service, ...everywhere];
  const methods = services.flatMap((service) => Object.values<Method>(service));
  return { registry: register, calls: new CallMetrics(register, side, methods) };
}

/** Returns what counts the calls that a server makes itself. They are on its page, too. */
export function madeCalls(service: ServiceDefinition): CallMetrics {
  return new CallMetrics(register, "client", Object.values<Method>(service));
}
