// OrderService: messages in, the order book asked, messages or a status out.

import { status } from "@grpc/grpc-js";
import type { Catalog } from "../../shared/bakery/catalog.ts";
import { describeShortages, type OrderBook, orderProblem } from "../../shared/bakery/orders.ts";
import { knownProduct } from "../catalog/known-product.ts";
import { type OrderServiceServer, OrderStatus } from "../gen/bakery/v1/orders.ts";
import { identityOf } from "../security/identity.ts";
import { bidiHandler } from "../server/bidi.ts";
import { invalidArgument, StatusError } from "../server/status-error.ts";
import { unaryHandler } from "../server/unary.ts";
import { trackOrder } from "./track-order.ts";

export function orderHandlers(
  catalog: Catalog,
  orders: OrderBook,
  closing: AbortSignal,
): OrderServiceServer {
  return {
    createOrder: unaryHandler(async (call) => {
      const { lines } = call.request;
      const problem = orderProblem(lines);
      if (problem !== undefined) throw invalidArgument(problem);
      for (const { productId } of lines) knownProduct(catalog, productId);
      const { order, shortages } = orders.create(lines, identityOf(call.metadata)?.userId);
      if (shortages !== undefined) {
        throw new StatusError(status.FAILED_PRECONDITION, describeShortages(shortages));
      }
      const { id, totalCents, createdAt, customerId } = order;
      return {
        order: { id, lines, totalCents, status: OrderStatus[order.status], createdAt, customerId },
      };
    }),

    trackOrder: bidiHandler(closing, (requests, send, signal, metadata) =>
      trackOrder(orders, requests, send, signal, identityOf(metadata)),
    ),
  };
}
