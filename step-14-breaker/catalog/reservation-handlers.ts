// Implements the RPCs that other services call: they reserve units, then confirm.

import { setTimeout } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import type { Catalog } from "../../shared/bakery/catalog.ts";
import { describeShortfalls } from "../../shared/bakery/orders.ts";
import type { Reservations } from "../../shared/bakery/reservations.ts";
import type { CatalogServiceServer, ReservedUnits } from "../gen/bakery/v1/catalog.ts";
import { invalidArgument, StatusError } from "../server/status-error.ts";
import { unary } from "../server/unary.ts";
import { traced } from "../tracing/traced.ts";
import { productOrNotFound } from "./product-or-not-found.ts";

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
const MAX_LINES = 100;
const MAX_QUANTITY = 1000;

/** @param options.slowMs how long ReserveProducts takes; simulates a slow database. */
export function reservationHandlers(
  catalog: Catalog,
  reservations: Reservations,
  { slowMs }: { slowMs: number },
): Pick<CatalogServiceServer, "reserveProducts" | "confirmReservation"> {
  return {
    reserveProducts: unary(async ({ reservationId, units }, { signal }) => {
      if (!UUID.test(reservationId)) throw invalidArgument("reservation_id must be a UUID");
      checkUnits(units);
      for (const { productId } of units) productOrNotFound(catalog, productId);
      if (slowMs > 0) {
        console.log(`ReserveProducts: waiting ${slowMs} ms for the database`);
        // Ends early if nobody is waiting for the result any more.
        const answer = () => setTimeout(slowMs, undefined, { signal }).catch(() => {});
        await traced("database", answer);
        signal.throwIfAborted(); // Then no units are taken.
      }
      // Looks and takes without an await between, so no other call can take the units meanwhile.
      const taken = reservations.reserve(reservationId, units);
      if (taken === undefined) {
        throw new StatusError(status.ALREADY_EXISTS, "the reservation_id stands for other units");
      }
      if (taken.shortfalls !== undefined) {
        throw new StatusError(status.FAILED_PRECONDITION, describeShortfalls(taken.shortfalls));
      }
      return { totalCents: taken.totalCents };
    }),

    confirmReservation: unary(async ({ reservationId }) => {
      if (reservations.confirm(reservationId)) return {};
      throw new StatusError(status.NOT_FOUND, "no such reservation, or its units have returned");
    }),
  };
}

/** @throws {StatusError} INVALID_ARGUMENT if the number of lines or a quantity is out of range. */
function checkUnits(units: readonly ReservedUnits[]): void {
  if (units.length < 1 || units.length > MAX_LINES) {
    throw invalidArgument(`a reservation has 1 to ${MAX_LINES} lines`);
  }
  if (units.some(({ quantity }) => quantity < 1 || quantity > MAX_QUANTITY)) {
    throw invalidArgument(`a quantity is 1 to ${MAX_QUANTITY}`);
  }
}
