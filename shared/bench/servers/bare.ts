// Serves the catalog with bare grpc-js: the steps' contract and generated code, events, and nothing else.

import * as grpc from "../../../node_modules/@grpc/grpc-js/build/src/index.js";
import {
  type CatalogServiceServer,
  CatalogServiceService,
} from "../../../step-03-bidi/gen/bakery/v1/catalog.ts";
import { catalog, Delivery, HOST, PORT, sayListening } from "./bakery.ts";

const handlers: Pick<CatalogServiceServer, "getProduct" | "restockProducts"> = {
  getProduct(call, callback) {
    const product = catalog.get(call.request.id);
    if (product === undefined) callback({ code: grpc.status.NOT_FOUND });
    else callback(null, { product });
  },
  restockProducts(call, callback) {
    const delivery = new Delivery();
    call.on("data", ({ content }) => {
      if (content?.$case === "crate") delivery.add(content.value);
    });
    call.on("end", () => callback(null, delivery.apply()));
  },
};

const server = new grpc.Server();
const { getProduct, restockProducts } = CatalogServiceService;
server.addService({ getProduct, restockProducts }, handlers);
server.bindAsync(`${HOST}:${PORT}`, grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  sayListening(port);
});
