// One channel to the bakery, and the stubs that make calls over it.

import { type CallOptions, credentials } from "@grpc/grpc-js";
import { CatalogServiceClient } from "../gen/bakery/v1/catalog.ts";
import { OrderServiceClient } from "../gen/bakery/v1/orders.ts";

const UNARY_DEADLINE_MS = 2000;

export interface Connection {
  readonly catalog: CatalogServiceClient;
  readonly orders: OrderServiceClient;
  /** The options of a unary call: without a deadline, a call may wait for ever. */
  unaryOptions(): CallOptions;
  /** The options of a stream: it may last, so it has a deadline only if one was asked for. */
  streamOptions(): CallOptions;
  close(): void;
}

/**
 * Opens no socket yet: grpc-js connects with the first call, and connects again when it must.
 * @param deadlineMs how long a call may take; 0 leaves it to the kind of call.
 */
export function connect(address: string, deadlineMs: number): Connection {
  // The stub makes its channel from the address. Plaintext is for this machine only.
  const catalog = new CatalogServiceClient(address, credentials.createInsecure());
  // A second stub on the same channel: one connection serves both services.
  const channelOverride = catalog.getChannel();
  const orders = new OrderServiceClient(address, credentials.createInsecure(), { channelOverride });
  return {
    catalog,
    orders,
    unaryOptions: () => ({ deadline: Date.now() + (deadlineMs || UNARY_DEADLINE_MS) }),
    streamOptions: () => (deadlineMs > 0 ? { deadline: Date.now() + deadlineMs } : {}),
    close: () => catalog.close(),
  };
}

/** What is wrong with an address as a person typed it; undefined if nothing is. */
export function addressProblem(address: string): string | undefined {
  const [, port] = /^(?:\[[0-9a-f:.]+\]|[^\s:/[\]]+):(\d{1,5})$/i.exec(address) ?? [];
  if (port !== undefined && Number(port) >= 1 && Number(port) <= 65535) return undefined;
  return `must be HOST:PORT, such as 127.0.0.1:50051 and without http://, not "${address}"`;
}
