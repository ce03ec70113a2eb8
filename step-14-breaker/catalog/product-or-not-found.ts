// Looks up a product by its id, or ends the call with NOT_FOUND.

import { status } from "@grpc/grpc-js";
import type { Catalog } from "../../shared/bakery/catalog.ts";
import type { Product } from "../../shared/bakery/products.ts";
import { StatusError } from "../server/status-error.ts";

// Details travel in a header, so echo only this much of the client's text.
const MAX_SHOWN_CHARACTERS = 64;

/**
 * Returns the product with this id.
 * @throws {StatusError} NOT_FOUND, with similar ids if there are any.
 */
export function productOrNotFound(catalog: Catalog, id: string): Product {
  const product = catalog.get(id);
  if (product !== undefined) return product;
  const shown = JSON.stringify(id.slice(0, MAX_SHOWN_CHARACTERS));
  const nearest = catalog.nearestIds(id);
  const hint = nearest.length > 0 ? `; did you mean ${nearest.join(" or ")}?` : "";
  throw new StatusError(status.NOT_FOUND, `no product ${shown}${hint}`);
}
