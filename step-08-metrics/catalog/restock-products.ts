// RestockProducts: counts crates as they come in, and applies the delivery when it is complete.

import { status } from "@grpc/grpc-js";
import type { Catalog } from "../../shared/bakery/catalog.ts";
import type { RestockProductsRequest, RestockProductsResponse } from "../gen/bakery/v1/catalog.ts";
import { invalidArgument, StatusError } from "../server/status-error.ts";
import { productOrNotFound } from "./product-or-not-found.ts";

const MAX_CRATES = 10_000;
const MAX_UNITS_IN_CRATE = 1000;

/**
 * The end of a stream says only that no more will come. The delivery note says that this was all:
 * it is the commit. Without it nothing is applied; a cancel that comes after it is too late.
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
        throw invalidArgument(`the note says ${content.value.crates} crates; ${crates} have come`);
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
    const details = `there is room for ${shortfall.possible} more units of ${shortfall.productId}`;
    throw new StatusError(status.FAILED_PRECONDITION, details);
  }
  return { products: lines.length, units: lines.reduce((sum, line) => sum + line.quantity, 0) };
}
