// CatalogService: messages in, the catalog asked, messages or a status out.

import { setTimeout } from "node:timers/promises";
import type { Catalog } from "../../shared/bakery/catalog.ts";
import type { CatalogServiceServer } from "../gen/bakery/v1/catalog.ts";
import { clientStreamHandler } from "../server/client-stream.ts";
import { serverStreamHandler } from "../server/server-stream.ts";
import { invalidArgument } from "../server/status-error.ts";
import { unaryHandler } from "../server/unary.ts";
import { knownProduct } from "./known-product.ts";
import { restockProducts } from "./restock-products.ts";
import { watchProducts } from "./watch-products.ts";

const PRODUCT_ID = /^[a-z][a-z0-9-]{0,63}$/;
const MAX_QUERY_CHARACTERS = 200;

export function catalogHandlers(
  catalog: Catalog,
  slowMs: number,
  closing: AbortSignal,
): CatalogServiceServer {
  return {
    getProduct: unaryHandler(async (call) => {
      const { id } = call.request;
      if (!PRODUCT_ID.test(id)) {
        throw invalidArgument(
          'id must be lower-case letters, digits and hyphens, such as "sourdough"',
        );
      }
      const product = knownProduct(catalog, id);
      await setTimeout(slowMs); // stands for a database on a bad day
      if (call.cancelled) console.log("GetProduct: answer ready, but the client no longer waits");
      return { product };
    }),

    searchProducts: unaryHandler(async (call) => {
      const { query } = call.request;
      if ([...query].length > MAX_QUERY_CHARACTERS) {
        throw invalidArgument(`query has more than ${MAX_QUERY_CHARACTERS} characters`);
      }
      return { products: catalog.search(query) };
    }),

    watchProducts: serverStreamHandler(closing, (request, signal) =>
      watchProducts(catalog, request, signal),
    ),

    restockProducts: clientStreamHandler((messages) => restockProducts(catalog, messages)),
  };
}
