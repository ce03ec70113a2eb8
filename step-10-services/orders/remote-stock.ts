// Takes the units of orders from the catalog's server.

import { randomUUID } from "node:crypto";
import { Metadata, status } from "@grpc/grpc-js";
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
import { asCustomersError, nothingOrdered } from "./catalog-failure.ts";

/** A stock in another process. */
export interface RemoteStock extends Stock {
  /** Calls back once, when the catalog's server has been reached for the first time. */
  whenReached(reached: () => void): void;
}

/** @param connection to the catalog's server. Its token must have the role `service`. */
export function remoteStock(connection: Connection): RemoteStock {
  const catalog = connection.stub(CatalogServiceClient);

  const reserve = (reservationId: string, units: ReservedUnits[]) =>
    unaryCall<ReserveProductsResponse>((done) => {
      const request = { reservationId, units };
      catalog.reserveProducts(request, new Metadata(), connection.callOptions(), done);
    }).catch((thrown: unknown) => {
      throw asCustomersError(thrown);
    });

  const confirm = (reservationId: string) =>
    unaryCall<ConfirmReservationResponse>((done) => {
      const request = { reservationId };
      catalog.confirmReservation(request, new Metadata(), connection.callOptions(), done);
    }).catch((thrown: unknown) => {
      // The units have returned: we took longer than they are held, or the catalog was restarted.
      const isGone = isServiceError(thrown) && thrown.code === status.NOT_FOUND;
      throw isGone ? nothingOrdered(thrown) : asCustomersError(thrown);
    });

  return {
    /** @throws {StatusError} as CreateOrder answers it. */
    async take(lines) {
      const reservationId = randomUUID();
      const { totalCents } = await reserve(reservationId, [...lines]);
      // If this process dies here, nobody confirms and the units return by themselves.
      await confirm(reservationId);
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
