// The limit with grpc-js: the same contract and generated code as the steps, and nothing besides.
// With CERTS over TLS; with CARELESS=1 it writes to a stream as most tutorials do, ready or not.

import { once } from "node:events";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import { minutesAway } from "../../bakery/courier.ts";
import {
  type CatalogServiceServer,
  CatalogServiceService,
} from "../gen/grpc-js/bakery/v1/catalog.ts";
import {
  type OrderServiceServer,
  OrderServiceService,
  OrderStatus,
} from "../gen/grpc-js/bakery/v1/orders.ts";
import { catalog, Delivery, orders } from "./bakery.ts";
import { makeCertificate } from "./certificate.ts";
import { endOnSignal, sayListening, settings } from "./listen.ts";

const careless = process.env.CARELESS === "1";

const catalogHandlers: CatalogServiceServer = {
  getProduct(call, callback) {
    const product = catalog.get(call.request.id);
    if (product === undefined) callback({ code: status.NOT_FOUND });
    else callback(null, { product });
  },
  searchProducts(call, callback) {
    callback(null, { products: catalog.search(call.request.query) });
  },
  async watchProducts(call) {
    const life = new AbortController();
    call.once("cancelled", () => life.abort());
    for await (const level of catalog.watch(catalog.ids(), life.signal)) {
      if (call.write(level) || careless) continue;
      await once(call, "drain", { signal: life.signal }).catch(() => {});
    }
    call.end();
  },
  restockProducts(call, callback) {
    const delivery = new Delivery();
    call.on("data", ({ content }) => {
      if (content?.$case === "crate") delivery.add({ crate: content.value });
      else delivery.add({ noteOfCrates: content?.value.crates ?? 0 });
    });
    call.on("end", () => callback(null, delivery.apply()));
  },
};

const orderHandlers: OrderServiceServer = {
  createOrder(call, callback) {
    const { order } = orders.create(call.request.lines);
    if (order === undefined) callback({ code: status.FAILED_PRECONDITION });
    else
      callback(null, {
        order: { ...order, lines: [...order.lines], status: OrderStatus[order.status] },
      });
  },
  trackOrder(call) {
    call.on("data", ({ content }) => {
      if (content?.$case === "ping") {
        const { latitude, longitude } = content.value;
        const minutes = minutesAway(latitude, longitude);
        call.write({ content: { $case: "eta", value: { minutes } } });
      } else {
        const order = orders.get(content?.value.orderId ?? "");
        if (order === undefined) return call.emit("error", { code: status.NOT_FOUND });
        const value = { status: OrderStatus[order.status], at: order.statusSince };
        call.write({ content: { $case: "status", value } });
      }
    });
    call.on("end", () => call.end());
  },
};

endOnSignal();
const server = new Server();
server.addService(CatalogServiceService, catalogHandlers);
server.addService(OrderServiceService, orderHandlers);
const folder = process.env.CERTS;
const pair = folder ? await makeCertificate(folder) : undefined;
const credentials = pair
  ? ServerCredentials.createSsl(null, [{ private_key: pair.key, cert_chain: pair.cert }])
  : ServerCredentials.createInsecure();
server.bindAsync(`${settings.host}:${settings.port}`, credentials, (error, port) => {
  if (error !== null) throw error;
  sayListening(port);
});
