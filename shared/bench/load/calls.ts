// Calls with the generated client, as promises.

import type { ServiceError } from "@grpc/grpc-js";
import type { Clients } from "./clients.ts";

const DEADLINE_MS = 10_000;

export async function getProduct({ catalog, metadata, fetchJson }: Clients): Promise<void> {
  if (fetchJson !== undefined) await fetchJson("/products/sourdough");
  else await answer((done) => catalog.getProduct({ id: "sourdough" }, metadata, deadline(), done));
}

/** All products. Gives their ids; none for REST, where nobody needs them. */
export async function listProducts({ catalog, metadata, fetchJson }: Clients): Promise<string[]> {
  if (fetchJson !== undefined) {
    await fetchJson("/products");
    return [];
  }
  const { products } = await answer<{ products: { id: string }[] }>((done) =>
    catalog.searchProducts({ query: "" }, metadata, deadline(), done),
  );
  return products.map(({ id }) => id);
}

/** Brings `crates` crates of a thousand units of each product. */
export async function restock(
  { catalog, metadata }: Clients,
  productIds: readonly string[],
  crates: number,
): Promise<void> {
  await answer((done) => {
    const call = catalog.restockProducts(metadata, deadline(), done);
    for (const productId of productIds) {
      for (let crate = 0; crate < crates; crate++) {
        call.write({ content: { $case: "crate", value: { productId, units: 1000 } } });
      }
    }
    call.end({ content: { $case: "deliveryNote", value: { crates: productIds.length * crates } } });
  });
}

/** Orders one unit of something. Gives the order's id. */
export async function placeOrder(clients: Clients): Promise<string> {
  const { orders, metadata } = clients;
  const productId = "rye";
  await restock(clients, [productId], 1); // There must be something to order, however often.
  const lines = [{ productId, quantity: 1 }];
  const { order } = await answer<{ order: { id: string } | undefined }>((done) =>
    orders.createOrder({ lines }, metadata, deadline(), done),
  );
  if (order === undefined) throw new Error("CreateOrder answered without the order");
  return order.id;
}

function deadline(): { deadline: number } {
  return { deadline: Date.now() + DEADLINE_MS };
}

function answer<Response>(
  start: (done: (error: ServiceError | null, response: Response) => void) => unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    start((error, response) => (error ? reject(error) : resolve(response)));
  });
}
