// Implements CatalogService: one function for each RPC.

import { setTimeout } from "node:timers/promises";
import type { Catalog } from "../../shared/bakery/catalog.ts";
import type { Reservations } from "../../shared/bakery/reservations.ts";
import type { CatalogServiceServer } from "../gen/bakery/v1/catalog.ts";
import { clientStream } from "../server/client-stream.ts";
import { serverStream } from "../server/server-stream.ts";
import { invalidArgument } from "../server/status-error.ts";
import { unary } from "../server/unary.ts";
import { traced } from "../tracing/traced.ts";
import { productOrNotFound } from "./product-or-not-found.ts";
import { reservationHandlers } from "./reservation-handlers.ts";
import { restockProducts } from "./restock-products.ts";
import { watchProducts } from "./watch-products.ts";

const PRODUCT_ID = /^[a-z][a-z0-9-]{0,63}$/;
const MAX_QUERY_CHARACTERS = 200;

/**
 * @param options.slowMs how long GetProduct and ReserveProducts take; simulates a slow database.
 * @param options.closing aborts when the server closes; open streams then end.
 */
export function catalogHandlers(
  catalog: Catalog,
  reservations: Reservations,
  { slowMs, closing }: { slowMs: number; closing: AbortSignal },
): CatalogServiceServer {
  return {
    getProduct: unary(async ({ id }, call) => {
      if (!PRODUCT_ID.test(id)) {
        throw invalidArgument(
          'id must be lower-case letters, digits and hyphens, such as "sourdough"',
        );
      }
      const product = productOrNotFound(catalog, id);
      if (slowMs > 0) {
        await traced("database", () => setTimeout(slowMs));
        if (call.signal.aborted) console.log("GetProduct: ready, but the client no longer waits");
      }
      return { product };
    }),

    searchProducts: unary(async ({ query }) => {
      // A character has one or two UTF-16 units. Counting the characters of a long text is slow.
      const tooLong = query.length > 2 * MAX_QUERY_CHARACTERS;
      if (tooLong || [...query].length > MAX_QUERY_CHARACTERS) {
        throw invalidArgument(`query has more than ${MAX_QUERY_CHARACTERS} characters`);
      }
      return { products: catalog.search(query) };
    }),

    watchProducts: serverStream(closing, (request, { signal }) =>
      watchProducts(catalog, request, signal),
    ),

    restockProducts: clientStream((messages) => restockProducts(catalog, messages)),

    ...reservationHandlers(catalog, reservations, { slowMs }),
  };
}
