// What the bakery counts: the calls of all its methods, and what its process uses.

import { collectDefaultMetrics, Registry, type RegistryContentType, register } from "prom-client";
import { CatalogServiceService } from "./gen/bakery/v1/catalog.ts";
import { OrderServiceService } from "./gen/bakery/v1/orders.ts";
import { HealthService } from "./gen/grpc/health/v1/health.ts";
import { ServerReflectionService } from "./gen/grpc/reflection/v1/reflection.ts";
import * as v1alpha from "./gen/grpc/reflection/v1alpha/reflection.ts";
import { CallMetrics } from "./metrics/call-metrics.ts";

const services = [
  CatalogServiceService,
  OrderServiceService,
  HealthService,
  ServerReflectionService,
  v1alpha.ServerReflectionService,
];

/**
 * Returns the metrics of this process, which serves or makes the bakery's calls. prom-client puts
 * every new metric into `register` unless told otherwise: each process has one page.
 * @param options.exemplars shows a trace for each bucket of the histogram.
 */
export function bakeryMetrics(
  side: "server" | "client",
  { exemplars = false } = {},
): {
  registry: Registry;
  calls: CallMetrics;
} {
  // Only the format OpenMetrics has exemplars. The type of `register` knows the default alone.
  const page: Pick<Registry<RegistryContentType>, "setContentType"> = register;
  if (exemplars) page.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  collectDefaultMetrics();
  const methods = services.flatMap((service) => Object.values(service));
  return { registry: register, calls: new CallMetrics(register, side, methods) };
}
