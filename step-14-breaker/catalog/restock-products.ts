// Implements RestockProducts: counts the crates, and restocks once the delivery is complete.

import { status } from "@grpc/grpc-js";
import type { Catalog } from "../../shared/bakery/catalog.ts";
import type { RestockProductsRequest, RestockProductsResponse } from "../gen/bakery/v1/catalog.ts";
import { invalidArgument, StatusError } from "../server/status-error.ts";
import { productOrNotFound } from "./product-or-not-found.ts";

const MAX_CRATES = 10_000;
const MAX_UNITS_IN_CRATE = 1000;

/**
 * Puts all crates on the shelf, or none. Only the delivery note commits a delivery. The end of the
 * stream doesn't, because a cancelled upload ends the same way. A cancellation that arrives after
 * the note is too late.
 * @throws {StatusError} at the first mistake.
 */
export async function restockProducts(
  catalog: Catalog,
  messages: AsyncIterable<RestockProductsRequest>,
): Promise<RestockProductsResponse> {
  const unitsOf = new Map<string, number>();
  let crates = 0;
  let noted = false;
  for await (const { content } of messages) {
    if (noted) throw invalidArgument("nothing may follow the delivery note");
    if (content?.$case === "crate") {
      const { productId, units } = content.value;
      if (++crates > MAX_CRATES) {
        throw new StatusError(status.RESOURCE_EXHAUSTED, `more than ${MAX_CRATES} crates`);
      }
      if (units < 1 || units > MAX_UNITS_IN_CRATE) {
        throw invalidArgument(
          `crate ${crates} has ${units} units; 1 to ${MAX_UNITS_IN_CRATE} are allowed`,
        );
      }
      productOrNotFound(catalog, productId);
      unitsOf.set(productId, (unitsOf.get(productId) ?? 0) + units);
    } else if (content?.$case === "deliveryNote") {
      if (content.value.crates !== crates) {
        throw invalidArgument(`the note says ${content.value.crates} crates; ${crates} came`);
      }
      noted = true;
    } else {
      throw invalidArgument("a message must hold a crate or a delivery note");
    }
  }
  if (!noted) throw invalidArgument("the delivery ended without its note");

  const lines = [...unitsOf].map(([productId, quantity]) => ({ productId, quantity }));
  const [shortfall] = catalog.add(lines);
  if (shortfall !== undefined) {
    const details = `the shelf has room for ${shortfall.possible} more ${shortfall.productId}`;
    throw new StatusError(status.FAILED_PRECONDITION, details);
  }
  return { products: lines.length, units: lines.reduce((sum, line) => sum + line.quantity, 0) };
}
