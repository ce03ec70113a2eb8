// Takes the units of orders from the catalog's server.

import { randomUUID } from "node:crypto";
import { status } from "@grpc/grpc-js";
import type { Stock } from "../../shared/bakery/stock.ts";
import type { Connection } from "../client/connection.ts";
import { isServiceError } from "../client/service-error.ts";
import { unaryCall } from "../client/unary-call.ts";
import {
  CatalogServiceClient,
  type ConfirmReservationResponse,
  type ReservedUnits,
  type ReserveProductsResponse,
} from "../gen/bakery/v1/catalog.ts";
import type { CallContext } from "../server/call-context.ts";
import { detachedCall, type InnerCall, innerCall } from "../server/inner-call.ts";
import { asCustomersError, nothingOrdered } from "./catalog-failure.ts";

/** A stock in another process. */
export interface RemoteStock extends Stock<[CallContext]> {
  /** Calls back once, when the catalog's server has been reached for the first time. */
  whenReached(reached: () => void): void;
}

/** @param connection to the catalog's server. Its token must have the role `service`. */
export function remoteStock(connection: Connection): RemoteStock {
  const catalog = connection.stub(CatalogServiceClient);

  const reserve = (reservationId: string, units: ReservedUnits[], call: InnerCall) =>
    unaryCall<ReserveProductsResponse>((done) => {
      const request = { reservationId, units };
      catalog.reserveProducts(request, call.metadata, call.options, done);
    }).catch((thrown: unknown) => {
      throw asCustomersError(thrown);
    });

  const confirm = (reservationId: string, call: InnerCall) =>
    unaryCall<ConfirmReservationResponse>((done) => {
      const request = { reservationId };
      catalog.confirmReservation(request, call.metadata, call.options, done);
    }).catch((thrown: unknown) => {
      // The units have returned: we took longer than they are held, or the catalog was restarted.
      const isGone = isServiceError(thrown) && thrown.code === status.NOT_FOUND;
      throw isGone ? nothingOrdered(thrown) : asCustomersError(thrown);
    });

  return {
    /** @throws {StatusError} as CreateOrder answers it. */
    async take(lines, context) {
      const reservationId = randomUUID();
      const inner = innerCall(context, connection.callOptions());
      const reserved = reserve(reservationId, [...lines], inner);
      // If nobody is waiting for the order by now, don't confirm: the units return.
      const { totalCents } = await reserved.finally(() => context.signal.throwIfAborted());
      // If this process dies here, nobody confirms and the units return by themselves.
      // The confirmation has no parent: once begun, it must be finished.
      await confirm(reservationId, detachedCall(context, connection.callOptions()));
      // If it dies here, the units are gone without an order. The same happens if the answer to the
      // confirmation is lost: see step 10's README.
      return { totalCents };
    },

    whenReached(reached) {
      catalog.waitForReady(Number.POSITIVE_INFINITY, (error) => {
        if (error === undefined) reached();
      });
    },
  };
}
