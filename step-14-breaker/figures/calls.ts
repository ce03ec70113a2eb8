// Makes the calls that the figures are about.

import { setTimeout } from "node:timers/promises";
import { Metadata } from "@grpc/grpc-js";
import { channelSecurity } from "../client/channel-credentials.ts";
import { type Connection, type ConnectOptions, connect } from "../client/connection.ts";
import { unaryCall } from "../client/unary-call.ts";
import { isServiceError } from "../commands/call-failure.ts";
import { CatalogServiceClient, type GetProductResponse } from "../gen/bakery/v1/catalog.ts";
import { type CreateOrderResponse, OrderServiceClient } from "../gen/bakery/v1/orders.ts";
import { certsFolder } from "../security/certificate-store.ts";

const DEADLINE_MS = 10_000;

/** About 200 calls a second. */
export const load = { count: 400, everyMs: 5 };

/** Connects as the bakery's client does, with a service config of its own. */
export function dial(target: string, serviceConfig: object, token = ""): Connection {
  return dialWith(target, { serviceConfig }, token);
}

/** Connects as the bakery's client does, with options of its own. */
export function dialWith(target: string, options: Partial<ConnectOptions>, token = ""): Connection {
  const ca = process.env.CERTS ? `${process.env.CERTS}/ca.pem` : `${certsFolder}/ca.pem`;
  const security = channelSecurity({ ca, cert: "", key: "", plaintext: false, token }, target);
  return connect(target, { deadlineMs: DEADLINE_MS, verbose: false, security, ...options });
}

/** Returns how many loaves of rye are left. */
export async function left(connection: Connection): Promise<number> {
  const catalog = connection.stub(CatalogServiceClient);
  const { product } = await unaryCall<GetProductResponse>((done) =>
    catalog.getProduct({ id: "rye" }, new Metadata(), connection.callOptions(), done),
  );
  return product?.unitsInStock ?? 0;
}

/** Reads the product once. Returns false if the call failed. */
export const get = (connection: Connection) => succeeds(left(connection));

/** Orders a loaf of rye. Returns false if the call failed. */
export function order(connection: Connection, idempotencyKey: string): Promise<boolean> {
  const orders = connection.stub(OrderServiceClient);
  const request = { lines: [{ productId: "rye", quantity: 1 }], idempotencyKey };
  return succeeds(
    unaryCall<CreateOrderResponse>((done) =>
      orders.createOrder(request, new Metadata(), connection.callOptions(), done),
    ),
  );
}

/** @param connection needs a baker's token. */
export function restock(connection: Connection, units: number): Promise<boolean> {
  const catalog = connection.stub(CatalogServiceClient);
  return succeeds(
    unaryCall((done) => {
      const call = catalog.restockProducts(new Metadata(), connection.callOptions(), done);
      call.write({ content: { $case: "crate", value: { productId: "rye", units } } });
      call.write({ content: { $case: "deliveryNote", value: { crates: 1 } } });
      call.end();
    }),
  );
}

async function succeeds(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (isServiceError(error)) return false;
    throw error;
  }
}

/** Starts `count` calls, one every `everyMs` or later, and waits until all have ended. */
export async function steadily<T>(
  { count, everyMs }: { count: number; everyMs: number },
  call: (n: number) => Promise<T>,
): Promise<T[]> {
  const calls: Promise<T>[] = [];
  for (let n = 0; n < count; n++) {
    calls.push(call(n));
    await setTimeout(everyMs); // On a busy machine, it doesn't make up for lost time by a burst.
  }
  return Promise.all(calls);
}
