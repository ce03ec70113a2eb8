// Refuses the calls that would change a replica's shelf.

import { status } from "@grpc/grpc-js";
import type { CatalogServiceServer } from "../gen/bakery/v1/catalog.ts";
import { clientStream } from "../server/client-stream.ts";
import { StatusError } from "../server/status-error.ts";
import { unary } from "../server/unary.ts";

/** Returns handlers that only read. If you add an RPC, the compiler asks for it here, too. */
export function readOnly(
  { getProduct, searchProducts, watchProducts }: CatalogServiceServer,
  leader: string,
): CatalogServiceServer {
  const refuse = async (): Promise<never> => {
    const details = `this is a replica, which only answers reads; changes go to ${leader}`;
    throw new StatusError(status.FAILED_PRECONDITION, details);
  };
  return {
    getProduct,
    searchProducts,
    watchProducts,
    restockProducts: clientStream(refuse),
    reserveProducts: unary(refuse),
    confirmReservation: unary(refuse),
  };
}
