// Serves the catalog with connect-node on node:http2, over gRPC; with step 07's features if it has keys.

import { createSecureServer, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { REQUEST_ID } from "../../../step-07-health/metadata-keys.ts";
import { CatalogService } from "../gen/bakery/v1/catalog_pb.ts";
import { catalog, Delivery, HOST, PORT, sayListening } from "./bakery.ts";
import { FeaturedCall, tlsFiles } from "./features.ts";

const features: Interceptor = (next) => async (request) => {
  const { header, url } = request;
  const featured = new FeaturedCall(url, header.get(REQUEST_ID), header.get("authorization"));
  const failed = (thrown: unknown) => {
    const error = ConnectError.from(thrown);
    error.metadata.set(REQUEST_ID, featured.requestId);
    featured.end(Code[error.code]);
    return error;
  };
  /** Yields all messages, then logs the call: a streaming handler runs only while they are read. */
  async function* toItsEnd<Message>(messages: AsyncIterable<Message>) {
    try {
      yield* messages;
      featured.end("OK");
    } catch (error) {
      throw failed(error);
    }
  }
  try {
    if (!(await featured.authenticate())) {
      throw new ConnectError("token invalid", Code.Unauthenticated);
    }
    const response = await next(request);
    response.header.set(REQUEST_ID, featured.requestId);
    if (response.stream) return { ...response, message: toItsEnd(response.message) };
    featured.end("OK");
    return response;
  } catch (error) {
    throw failed(error);
  }
};

const adapter = connectNodeAdapter({
  connect: false,
  grpcWeb: false,
  interceptors: tlsFiles ? [features] : [],
  routes({ service }) {
    service(CatalogService, {
      getProduct({ id }) {
        const product = catalog.get(id);
        if (product === undefined) throw new ConnectError("no such product", Code.NotFound);
        return { product };
      },
      async restockProducts(messages) {
        const delivery = new Delivery();
        for await (const { content } of messages) {
          if (content.case === "crate") delivery.add(content.value);
        }
        return delivery.apply();
      },
    });
  },
});

const server = tlsFiles ? createSecureServer(tlsFiles, adapter) : createServer(adapter);
server.listen(PORT, HOST, () => sayListening((server.address() as AddressInfo).port));
