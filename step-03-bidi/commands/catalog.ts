// The commands that look at the shelf.

import { Metadata } from "@grpc/grpc-js";
import { formatCents, formatColumns } from "../../shared/terminal/output.ts";
import type { Connection } from "../client/connection.ts";
import { unaryCall } from "../client/unary-call.ts";
import type { GetProductResponse, SearchProductsResponse } from "../gen/bakery/v1/catalog.ts";

// Each stub takes the request, metadata (the call's headers: none here), the call's options and a
// callback for the outcome.

export async function get({ catalog, unaryOptions }: Connection, [id = ""]: string[]) {
  const { product } = await unaryCall<GetProductResponse>((done) =>
    catalog.getProduct({ id }, new Metadata(), unaryOptions(), done),
  );
  if (product === undefined) throw new Error("the server answered without a product");
  console.log(`ID: ${product.id}`);
  console.log(`Name: ${product.name}`);
  console.log(`Price: ${formatCents(product.priceCents)}`);
  console.log(`In stock: ${product.unitsInStock}`);
}

export async function search({ catalog, unaryOptions }: Connection, words: string[]) {
  const { products } = await unaryCall<SearchProductsResponse>((done) =>
    catalog.searchProducts({ query: words.join(" ") }, new Metadata(), unaryOptions(), done),
  );
  const rows = products.map(({ id, name, priceCents, unitsInStock }) => [
    id,
    name,
    formatCents(priceCents),
    `${unitsInStock} left`,
  ]);
  console.log(rows.length > 0 ? formatColumns(rows) : "nothing matches");
}
