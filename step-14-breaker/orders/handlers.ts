// Implements OrderService: one function for each RPC.

import { status } from "@grpc/grpc-js";
import { describeShortfalls, type OrderBook } from "../../shared/bakery/orders.ts";
import { type OrderLine, type OrderServiceServer, OrderStatus } from "../gen/bakery/v1/orders.ts";
import { bidi } from "../server/bidi.ts";
import type { CallContext } from "../server/call-context.ts";
import { invalidArgument, StatusError } from "../server/status-error.ts";
import { unary } from "../server/unary.ts";
import { placingOnce } from "./place-once.ts";
import { trackOrder } from "./track-order.ts";

const MAX_LINES = 100;
const MAX_QUANTITY = 100;
const MAX_SHOWN_CHARACTERS = 64;

/** @param options.closing aborts when the server closes, which ends the streams. */
export function orderHandlers(
  orders: OrderBook<[CallContext, reservationId: string]>,
  { closing }: { closing: AbortSignal },
): OrderServiceServer {
  const placeOnce = placingOnce();
  return {
    createOrder: unary(async ({ lines, idempotencyKey: key }, context) => {
      const { caller } = context;
      if (caller === undefined) throw new StatusError(status.UNAUTHENTICATED, "whose order is it?");
      checkLines(lines);
      const customerId = caller.userId;
      const order = await placeOnce({ customerId, key, lines }, async (reservationId) => {
        const placed = await orders.create(lines, customerId, context, reservationId);
        if (placed.shortfalls === undefined) return placed.order;
        throw new StatusError(status.FAILED_PRECONDITION, describeShortfalls(placed.shortfalls));
      });
      const { id, totalCents, createdAt } = order;
      return {
        order: { id, lines, totalCents, status: OrderStatus[order.status], createdAt, customerId },
      };
    }),

    trackOrder: bidi(closing, (requests, context) => trackOrder(orders, requests, context)),
  };
}

/** @throws {StatusError} INVALID_ARGUMENT if the number of lines or a quantity is out of range. */
function checkLines(lines: readonly OrderLine[]): void {
  if (lines.length < 1 || lines.length > MAX_LINES) {
    throw invalidArgument(`an order has 1 to ${MAX_LINES} lines`);
  }
  const wrong = lines.find(({ quantity }) => quantity < 1 || quantity > MAX_QUANTITY);
  if (wrong !== undefined) {
    const shown = wrong.productId.slice(0, MAX_SHOWN_CHARACTERS);
    throw invalidArgument(`${wrong.quantity} ${shown}: a quantity is 1 to ${MAX_QUANTITY}`);
  }
}
