// Implements WatchProducts: sends the current levels, then every change.

import type { Catalog } from "../../shared/bakery/catalog.ts";
import type { WatchProductsRequest, WatchProductsResponse } from "../gen/bakery/v1/catalog.ts";
import { invalidArgument } from "../server/status-error.ts";
import { productOrNotFound } from "./product-or-not-found.ts";

const MAX_IDS = 100;

/**
 * Yields the messages of the stream. While the client isn't reading, nothing is taken from the
 * catalog, which keeps only the newest level of each product.
 */
export async function* watchProducts(
  catalog: Catalog,
  { productIds }: WatchProductsRequest,
  signal: AbortSignal,
): AsyncGenerator<WatchProductsResponse> {
  if (productIds.length > MAX_IDS) {
    throw invalidArgument(`more than ${MAX_IDS} product ids`);
  }
  for (const id of productIds) productOrNotFound(catalog, id);
  yield* catalog.watch(productIds.length > 0 ? productIds : catalog.ids(), signal);
}
