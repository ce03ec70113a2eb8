// Server: tells machines whether to send calls here.

import { HealthImplementation, type ServingStatusMap } from "grpc-health-check";
import { CatalogServiceClient } from "../gen/bakery/v1/catalog.ts";
import { OrderServiceClient } from "../gen/bakery/v1/orders.ts";

const SERVER = ""; // the name of the server as a whole
const CATALOG = CatalogServiceClient.serviceName;
const ORDERS = OrderServiceClient.serviceName;

/**
 * Says no for orders during the first `warmupMs`: the oven is cold. Says no for everything once the
 * server closes. To be the first to hear of that, it must be made before all else that waits for
 * `closing`. It stops no call: whoever asks draws the conclusion.
 */
export function bakeryHealth(warmupMs: number, closing: AbortSignal): HealthImplementation {
  const statuses: ServingStatusMap = {
    [SERVER]: "SERVING",
    [CATALOG]: "SERVING",
    [ORDERS]: warmupMs > 0 ? "NOT_SERVING" : "SERVING",
  };
  const health = new HealthImplementation(statuses);
  const warm = setTimeout(() => health.setStatus(ORDERS, "SERVING"), warmupMs);
  warm.unref(); // It keeps no server alive that could not start.
  closing.addEventListener("abort", () => {
    clearTimeout(warm);
    for (const service of Object.keys(statuses)) health.setStatus(service, "NOT_SERVING");
  });
  return health;
}
