// nice-grpc: promises and async iterables on top of grpc-js.

import { createServer, ServerError, Status } from "nice-grpc";
import { minutesAway } from "../../bakery/courier.ts";
import {
  CatalogServiceDefinition,
  type CatalogServiceImplementation,
} from "../gen/nice-grpc/bakery/v1/catalog.ts";
import {
  OrderServiceDefinition,
  type OrderServiceImplementation,
  OrderStatus,
} from "../gen/nice-grpc/bakery/v1/orders.ts";
import { catalog, Delivery, orders } from "./bakery.ts";
import { endOnSignal, sayListening, settings } from "./listen.ts";

const catalogHandlers: CatalogServiceImplementation = {
  async getProduct({ id }) {
    const product = catalog.get(id);
    if (product === undefined) throw new ServerError(Status.NOT_FOUND, "no such product");
    return { product };
  },
  async searchProducts({ query }) {
    return { products: catalog.search(query) };
  },
  async *watchProducts(_request, { signal }) {
    yield* catalog.watch(catalog.ids(), signal);
  },
  async restockProducts(messages) {
    const delivery = new Delivery();
    for await (const { content } of messages) {
      if (content?.$case === "crate") delivery.add({ crate: content.value });
      else delivery.add({ noteOfCrates: content?.value.crates ?? 0 });
    }
    return delivery.apply();
  },
};

const orderHandlers: OrderServiceImplementation = {
  async createOrder({ lines }) {
    const { order } = orders.create(lines);
    if (order === undefined) throw new ServerError(Status.FAILED_PRECONDITION, "too few left");
    return { order: { ...order, lines: [...order.lines], status: OrderStatus[order.status] } };
  },
  async *trackOrder(messages) {
    for await (const { content } of messages) {
      if (content?.$case === "ping") {
        const minutes = minutesAway(content.value.latitude, content.value.longitude);
        yield { content: { $case: "eta" as const, value: { minutes } } };
      } else {
        const order = orders.get(content?.value.orderId ?? "");
        if (order === undefined) throw new ServerError(Status.NOT_FOUND, "no such order");
        const value = { status: OrderStatus[order.status], at: order.statusSince };
        yield { content: { $case: "status" as const, value } };
      }
    }
  },
};

endOnSignal();
const server = createServer();
server.add(CatalogServiceDefinition, catalogHandlers);
server.add(OrderServiceDefinition, orderHandlers);
sayListening(await server.listen(`${settings.host}:${settings.port}`));
