// One channel to the bakery, and the stubs that make calls over it.

import type { CallOptions, ChannelCredentials } from "@grpc/grpc-js";
import { CatalogServiceClient } from "../gen/bakery/v1/catalog.ts";
import { OrderServiceClient } from "../gen/bakery/v1/orders.ts";
import { defaultDeadlineInterceptor } from "./interceptors/default-deadline.ts";
import { sendRequestIdInterceptor } from "./interceptors/send-request-id.ts";
import { timingInterceptor } from "./interceptors/timing.ts";

const UNARY_DEADLINE_MS = 2000;

export interface Connection {
  readonly catalog: CatalogServiceClient;
  readonly orders: OrderServiceClient;
  /** The options of a unary call: its deadline, unless the default one will do. */
  unaryOptions(): CallOptions;
  /** The options of a stream: it may last, so it has a deadline only if one was asked for. */
  streamOptions(): CallOptions;
  close(): void;
}

/**
 * Opens no socket yet: grpc-js connects with the first call, and connects again when it must.
 * @param deadlineMs how long a call may take; 0 leaves it to the kind of call.
 * @param verbose says on standard error what each call took.
 * @param credentials whom to trust, and what goes with each call.
 */
export function connect(
  address: string,
  deadlineMs: number,
  verbose: boolean,
  credentials: ChannelCredentials,
): Connection {
  // The first is the outermost: it sees a call first, and its outcome last.
  const interceptors = [
    defaultDeadlineInterceptor(UNARY_DEADLINE_MS),
    sendRequestIdInterceptor,
    ...(verbose ? [timingInterceptor] : []),
  ];
  const catalog = new CatalogServiceClient(address, credentials, { interceptors });
  // A second stub on the same channel: one connection serves both services.
  const channelOverride = catalog.getChannel();
  const orders = new OrderServiceClient(address, credentials, {
    channelOverride,
    interceptors,
  });
  return {
    catalog,
    orders,
    unaryOptions: () => (deadlineMs > 0 ? { deadline: Date.now() + deadlineMs } : {}),
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
