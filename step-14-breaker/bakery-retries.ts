// Says which calls grpc-js may repeat by itself, when, and when to stop.

import { CatalogServiceService } from "./gen/bakery/v1/catalog.ts";
import { OrderServiceService } from "./gen/bakery/v1/orders.ts";

const { getProduct, searchProducts, reserveProducts, confirmReservation } = CatalogServiceService;
const { createOrder } = OrderServiceService;

const retryPolicy = {
  maxAttempts: 4, // with the first; grpc-js makes at most 5
  initialBackoff: "0.05s", // Each wait varies by a fifth, so that clients don't all return at once.
  backoffMultiplier: 2,
  maxBackoff: "1s",
  retryableStatusCodes: ["UNAVAILABLE"],
};

/** Part of a channel's service config. A method that isn't named here is never repeated. */
export const bakeryRetries = {
  methodConfig: [
    {
      name: [getProduct, searchProducts].map(nameOf), // They only read.
      // The longest that these may take, whatever the caller's deadline. "2.5s" would be misread.
      timeout: { seconds: 2, nanos: 500_000_000 },
      retryPolicy,
    },
    {
      // A repetition is recognized by the reservation's id, or by the order's key.
      name: [reserveProducts, confirmReservation, createOrder].map(nameOf),
      retryPolicy,
    },
  ],
  // A failure takes a token, a success returns a tenth of one. With half of them gone, nothing is
  // repeated.
  retryThrottling: { maxTokens: 100, tokenRatio: 0.1 },
};

/** @param method.path `/bakery.v1.CatalogService/GetProduct` */
function nameOf({ path }: { path: string }): { service: string; method: string } {
  const [, service = "", method = ""] = path.split("/");
  return { service, method };
}
