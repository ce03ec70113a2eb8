// Implements the commands that read the catalog.

import { Metadata } from "@grpc/grpc-js";
import { formatCents, formatColumns } from "../../shared/terminal/output.ts";
import { ExpectedError } from "../../shared/terminal/program.ts";
import type { Connection } from "../client/connection.ts";
import { unaryCall } from "../client/unary-call.ts";
import {
  CatalogServiceClient,
  type GetProductResponse,
  type SearchProductsResponse,
} from "../gen/bakery/v1/catalog.ts";

// A stub's method takes the request, metadata (the call's headers: none here), the call's options,
// and a callback for the response or the error.

export async function get(connection: Connection, [id = ""]: string[]) {
  const catalog = connection.stub(CatalogServiceClient);
  const { product } = await unaryCall<GetProductResponse>((done) =>
    catalog.getProduct({ id }, new Metadata(), connection.callOptions(), done),
  );
  // A message field may be absent, so its type includes undefined.
  if (product === undefined) throw new ExpectedError("the server's response has no product");
  console.log(`ID: ${product.id}`);
  console.log(`Name: ${product.name}`);
  console.log(`Price: ${formatCents(product.priceCents)}`);
  console.log(`In stock: ${product.unitsInStock}`);
}

export async function search(connection: Connection, words: string[]) {
  const catalog = connection.stub(CatalogServiceClient);
  const query = words.join(" ");
  const { products } = await unaryCall<SearchProductsResponse>((done) =>
    catalog.searchProducts({ query }, new Metadata(), connection.callOptions(), done),
  );
  const rows = products.map(({ id, name, priceCents, unitsInStock }) => [
    id,
    name,
    formatCents(priceCents),
    `${unitsInStock} left`,
  ]);
  console.log(rows.length > 0 ? formatColumns(rows) : "nothing matches");
}
