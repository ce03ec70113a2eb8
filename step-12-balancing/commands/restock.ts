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
  type SearchProductsResponse,
} from "../gen/bakery/v1/catalog.ts";

type Upload = ClientWritableStream<RestockProductsRequest>;

/**
 * Uploads crates and their delivery note.
 * @param args one PRODUCT=UNITS for each crate.
 * @param options.cancel-after cancels after this many crates, before the note; 0 doesn't cancel.
 */
export async function restock(
  connection: Connection,
  args: string[],
  { "cancel-after": cancelAfter }: { "cancel-after": number },
) {
  const catalog = connection.stub(CatalogServiceClient);
  const crates = args.map(crateMessage);
  const note = noteMessage(crates.length);
  const { products, units } = await unaryCall<RestockProductsResponse>((done) => {
    const call = catalog.restockProducts(new Metadata(), connection.callOptions(), done);
    const sent =
      cancelAfter > 0
        ? breakOff(connection, call, crates.slice(0, cancelAfter))
        : upload(call, [...crates, note]);
    sent.catch(() => call.cancel()); // Safe: without its note, a delivery changes nothing.
  });
  console.log(`restocked ${formatCount(units, "unit")} of ${formatCount(products, "product")}`);
}

/** Writes each message when there is room for it: the server may read more slowly than we write. */
export async function upload<Message>(
  call: ClientWritableStream<Message>,
  messages: Iterable<Message>,
): Promise<void> {
  for (const message of messages) {
    if (!call.write(message)) await once(call, "drain");
  }
  call.end(); // Half-close: we have nothing more to send, and wait for the response.
}

/** Writes the crates, and cancels the call once they have arrived. */
async function breakOff(
  connection: Connection,
  call: Upload,
  crates: readonly RestockProductsRequest[],
): Promise<void> {
  for (const crate of crates) call.write(crate);
  // Nothing confirms crates before an upload ends. So we make a second call over the same
  // connection: in practice, the server has the crates once it's answered.
  const catalog = connection.stub(CatalogServiceClient);
  await unaryCall<SearchProductsResponse>((done) =>
    catalog.searchProducts({ query: "" }, new Metadata(), connection.callOptions(), done),
  );
  call.cancel();
}

/** @param arg PRODUCT=UNITS */
function crateMessage(arg: string): RestockProductsRequest {
  const { name, amount } = parseAmount(arg);
  return { content: { $case: "crate", value: { productId: name, units: amount } } };
}

function noteMessage(crates: number): RestockProductsRequest {
  return { content: { $case: "deliveryNote", value: { crates } } };
}
