// Server: tells machines whether to send calls here.

import { HealthImplementation, type ServingStatusMap } from "grpc-health-check";
import { CatalogServiceClient } from "./gen/bakery/v1/catalog.ts";
import { OrderServiceClient } from "./gen/bakery/v1/orders.ts";

const SERVER = ""; // the name of the server as a whole
const CATALOG = CatalogServiceClient.serviceName;
const ORDERS = OrderServiceClient.serviceName;

/**
 * No orders for the first `warmupMs`: the oven is cold. Nothing at all once the server closes; ask
 * for this before anything else that waits for `closing`, so that it is the first to happen.
 */
export function bakeryHealth(warmupMs: number, closing: AbortSignal): HealthImplementation {
  const statuses: ServingStatusMap = {
    [SERVER]: "SERVING",
    [CATALOG]: "SERVING",
    [ORDERS]: warmupMs > 0 ? "NOT_SERVING" : "SERVING",
  };
  const health = new HealthImplementation(statuses);
  const warm = setTimeout(() => health.setStatus(ORDERS, "SERVING"), warmupMs).unref();
  closing.addEventListener("abort", () => {
    clearTimeout(warm);
    for (const service of Object.keys(statuses)) health.setStatus(service, "NOT_SERVING");
  });
  return health;
}
