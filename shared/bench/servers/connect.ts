// connect-node on node:http2, spoken to in the gRPC protocol.

import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { minutesAway } from "../../bakery/courier.ts";
import { CatalogService } from "../gen/connect/bakery/v1/catalog_pb.ts";
import { OrderService, OrderStatus } from "../gen/connect/bakery/v1/orders_pb.ts";
import { catalog, Delivery, orders } from "./bakery.ts";
import { endOnSignal, sayListening, settings } from "./listen.ts";

const adapter = connectNodeAdapter({
  connect: false,
  grpcWeb: false,
  routes({ service }) {
    service(CatalogService, {
      getProduct({ id }) {
        const product = catalog.get(id);
        if (product === undefined) throw new ConnectError("no such product", Code.NotFound);
        return { product };
      },
      searchProducts({ query }) {
        return { products: catalog.search(query) };
      },
      async *watchProducts(_request, { signal }) {
        for await (const level of catalog.watch(catalog.ids(), signal)) {
          yield { ...level, observedAt: timestampFromDate(level.observedAt) };
        }
      },
      async restockProducts(messages) {
        const delivery = new Delivery();
        for await (const { content } of messages) {
          if (content.case === "crate") delivery.add({ crate: content.value });
          else delivery.add({ noteOfCrates: content.value?.crates ?? 0 });
        }
        return delivery.apply();
      },
    });
    service(OrderService, {
      createOrder({ lines }) {
        const { order } = orders.create(lines);
        if (order === undefined) throw new ConnectError("too few", Code.FailedPrecondition);
        const createdAt = timestampFromDate(order.createdAt);
        const status = OrderStatus[order.status];
        return { order: { ...order, lines: [...order.lines], status, createdAt } };
      },
      async *trackOrder(messages) {
        for await (const { content } of messages) {
          if (content.case === "ping") {
            const minutes = minutesAway(content.value.latitude, content.value.longitude);
            yield { content: { case: "eta" as const, value: { minutes } } };
          } else {
            const order = orders.get(content.value?.orderId ?? "");
            if (order === undefined) throw new ConnectError("no such order", Code.NotFound);
            const at = timestampFromDate(order.statusSince);
            const value = { status: OrderStatus[order.status], at };
            yield { content: { case: "status" as const, value } };
          }
        }
      },
    });
  },
});

endOnSignal();
const server = createServer(adapter);
server.listen(settings.port, settings.host, () => {
  sayListening((server.address() as AddressInfo).port);
});
