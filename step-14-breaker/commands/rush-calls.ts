// What customers do in a rush: calls of all four kinds, some of which fail.

import { randomUUID } from "node:crypto";
import { type CallOptions, Metadata } from "@grpc/grpc-js";
import type { Connection } from "../client/connection.ts";
import { unaryCall } from "../client/unary-call.ts";
import {
  CatalogServiceClient,
  type GetProductResponse,
  type RestockProductsResponse,
  type SearchProductsResponse,
} from "../gen/bakery/v1/catalog.ts";
import { type CreateOrderResponse, OrderServiceClient } from "../gen/bakery/v1/orders.ts";

const WATCH_MS = 1000;
const PRODUCT = "croissant";

/**
 * Returns a round: functions that make a call each. Nothing is random, so rounds are alike.
 * @param connection to the catalog's server.
 */
export function rushCalls(
  connection: Connection,
  ordersConnection: Connection,
): readonly (() => Promise<unknown>)[] {
  const catalog = connection.stub(CatalogServiceClient);
  const orders = ordersConnection.stub(OrderServiceClient);
  const options = () => connection.callOptions();

  const get = (id: string) => () => getProduct(catalog, id, options());
  const search = () =>
    unaryCall<SearchProductsResponse>((done) =>
      catalog.searchProducts({ query: "bread" }, new Metadata(), options(), done),
    );
  const watchUntilDeadline = async () => {
    const deadline = Date.now() + WATCH_MS;
    for await (const _ of catalog.watchProducts({ productIds: [PRODUCT] }, { deadline }));
  };
  const watchAndLeave = async () => {
    const call = catalog.watchProducts({ productIds: [PRODUCT] }, options());
    for await (const _ of call) call.cancel();
  };
  const restock = () =>
    unaryCall<RestockProductsResponse>((done) => {
      const call = catalog.restockProducts(new Metadata(), options(), done);
      call.write({ content: { $case: "crate", value: { productId: PRODUCT, units: 5 } } });
      call.write({ content: { $case: "deliveryNote", value: { crates: 1 } } });
      call.end();
    });
  const orderOne = async (productId: string) => {
    const request = { lines: [{ productId, quantity: 1 }], idempotencyKey: randomUUID() };
    const { order } = await unaryCall<CreateOrderResponse>((done) =>
      orders.createOrder(request, new Metadata(), options(), done),
    );
    return order?.id ?? "";
  };
  let ordered = Promise.resolve("");
  const order = () => {
    ordered = orderOne(PRODUCT);
    return ordered;
  };
  const orderUnknown = () => orderOne("cake");
  const track = async () => {
    const orderId = await ordered.catch(() => "");
    const call = orders.trackOrder(options());
    call.write({ content: { $case: "start", value: { orderId } } });
    call.write({ content: { $case: "ping", value: { latitude: 48.2, longitude: 16.37 } } });
    call.end();
    for await (const _ of call);
  };
  const looks = [get("rye"), get("baguette"), search];
  const others = [order, orderUnknown, watchUntilDeadline, watchAndLeave, restock, track];
  return others.flatMap((other) => [...looks, other]);
}

/** Returns calls that ask for products that don't exist, each by another id, as a bot does. */
export function guessCalls(connection: Connection, guesses: number): (() => Promise<unknown>)[] {
  const catalog = connection.stub(CatalogServiceClient);
  return Array.from({ length: guesses }, (_, at) => () => {
    return getProduct(catalog, `guess-${at}`, connection.callOptions());
  });
}

function getProduct(catalog: CatalogServiceClient, id: string, options: CallOptions) {
  return unaryCall<GetProductResponse>((done) =>
    catalog.getProduct({ id }, new Metadata(), options, done),
  );
}
