// Serves the catalog with nice-grpc: promises on grpc-js; with step 07's features if it has keys.

import { ServerCredentials } from "@grpc/grpc-js";
import {
  type CallContext,
  createServer,
  ServerError,
  type ServerMiddlewareCall,
  Status,
} from "nice-grpc";
import { CatalogServiceService } from "../../../step-03-bidi/gen/bakery/v1/catalog.ts";
import { REQUEST_ID } from "../../../step-07-health/metadata-keys.ts";
import { catalog, Delivery, HOST, PORT, sayListening } from "./bakery.ts";
import { FeaturedCall, tlsFiles } from "./features.ts";

const { getProduct, restockProducts } = CatalogServiceService;
const service = { getProduct, restockProducts };

async function* features<Request, Response>(
  call: ServerMiddlewareCall<Request, Response>,
  context: CallContext,
) {
  const { metadata } = context;
  const [id, authorization] = [metadata.get(REQUEST_ID), metadata.get("authorization")];
  const featured = new FeaturedCall(call.method.path, id, authorization);
  context.header.set(REQUEST_ID, featured.requestId);
  try {
    if (!(await featured.authenticate())) {
      throw new ServerError(Status.UNAUTHENTICATED, "token invalid");
    }
    const response = yield* call.next(call.request, context);
    featured.end("OK");
    return response;
  } catch (error) {
    featured.end(error instanceof ServerError ? Status[error.code] : "UNKNOWN");
    throw error;
  }
}

const server = tlsFiles ? createServer().use(features) : createServer();
server.add(service, {
  async getProduct({ id }) {
    const product = catalog.get(id);
    if (product === undefined) throw new ServerError(Status.NOT_FOUND, "no such product");
    return { product };
  },
  async restockProducts(messages) {
    const delivery = new Delivery();
    for await (const { content } of messages) {
      if (content?.$case === "crate") delivery.add(content.value);
    }
    return delivery.apply();
  },
});
const credentials = tlsFiles
  ? ServerCredentials.createSsl(null, [{ cert_chain: tlsFiles.cert, private_key: tlsFiles.key }])
  : ServerCredentials.createInsecure();
sayListening(await server.listen(`${HOST}:${PORT}`, credentials));
