// The command that brings a delivery.

import { once } from "node:events";
import { type ClientWritableStream, Metadata } from "@grpc/grpc-js";
import { formatCount } from "../../shared/terminal/output.ts";
import { parseAmount } from "../../shared/terminal/values.ts";
import type { Connection } from "../client/connection.ts";
import { unaryCall } from "../client/unary-call.ts";
import {
  CatalogServiceClient,
  type RestockProductsRequest,
  type RestockProductsResponse,
} from "../gen/bakery/v1/catalog.ts";

/** @param args one PRODUCT=UNITS for each crate. */
export async function restock(connection: Connection, args: string[]) {
  const catalog = connection.stub(CatalogServiceClient);
  const crates = args.map(parseAmount);
  const { products, units } = await unaryCall<RestockProductsResponse>((done) => {
    const call = catalog.restockProducts(new Metadata(), connection.callOptions(), done);
    upload(call, delivery(crates)).catch(() => call.cancel()); // Half a delivery counts as none.
  });
  console.log(`restocked ${formatCount(units, "unit")} of ${formatCount(products, "product")}`);
}

/** Yields the messages of a delivery, each made when it is asked for. */
function* delivery(
  crates: readonly { name: string; amount: number }[],
): Generator<RestockProductsRequest> {
  for (const { name, amount } of crates) {
    yield { content: { $case: "crate", value: { productId: name, units: amount } } };
  }
  yield { content: { $case: "deliveryNote", value: { crates: crates.length } } };
}

/** Writes each message when there is room for it: the server may read slower than we write. */
export async function upload<Message>(
  call: ClientWritableStream<Message>,
  messages: Iterable<Message>,
): Promise<void> {
  for (const message of messages) {
    if (!call.write(message)) await once(call, "drain");
  }
  call.end(); // Half-close: we have nothing more to send, and wait for the response.
}
