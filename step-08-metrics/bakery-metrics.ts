// What the bakery counts: the calls of all its methods, and what its process uses.

import { collectDefaultMetrics, type Registry, register } from "prom-client";
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
 */
export function bakeryMetrics(side: "server" | "client"): {
  registry: Registry;
  calls: CallMetrics;
} {
  collectDefaultMetrics();
  const methods = services.flatMap((service) => Object.values(service));
  return { registry: register, calls: new CallMetrics(register, side, methods) };
}
