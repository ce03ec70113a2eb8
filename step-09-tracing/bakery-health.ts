// Sets the health of the bakery's services.

import { CatalogServiceClient } from "./gen/bakery/v1/catalog.ts";
import { OrderServiceClient } from "./gen/bakery/v1/orders.ts";
import { type Health, serverHealth } from "./server/health.ts";

const SERVER = ""; // the name of the server as a whole
const CATALOG = CatalogServiceClient.serviceName;
const ORDERS = OrderServiceClient.serviceName;

/** @param warmupMs how long the oven stays cold; until then, OrderService is NOT_SERVING. */
export function bakeryHealth(draining: AbortSignal, warmupMs: number): Health {
  const health = serverHealth(
    {
      [SERVER]: "SERVING",
      [CATALOG]: "SERVING",
      [ORDERS]: warmupMs > 0 ? "NOT_SERVING" : "SERVING",
    },
    draining,
  );
  const warm = setTimeout(() => health.setStatus(ORDERS, "SERVING"), warmupMs);
  warm.unref(); // It must not keep the process alive if the server couldn't start.
  return health;
}
