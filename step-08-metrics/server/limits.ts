// Server: what one client may take of it. grpc-js limits almost nothing by itself.

import type { ServerOptions } from "@grpc/grpc-js";

const MINUTE_MS = 60_000;

/** What a server's limits read from its environment. */
export const limitVariables = {
  KEEPALIVE_MS: {
    default: 30_000,
    min: 1,
    help: "how often the server asks whether a client is still there",
  },
  MESSAGE_BYTES: { default: 64 * 1024, help: "the largest message that the server takes" },
} as const;

/** Returns what a server is made with, so that no single connection can exhaust it. */
export function serverLimits(variables: {
  readonly KEEPALIVE_MS: number;
  readonly MESSAGE_BYTES: number;
}): ServerOptions {
  const { KEEPALIVE_MS, MESSAGE_BYTES } = variables;
  return {
    // A client that has vanished closes nothing. By default nobody asks, and its streams stay.
    "grpc.keepalive_time_ms": KEEPALIVE_MS,
    "grpc.keepalive_timeout_ms": Math.min(KEEPALIVE_MS, 10_000), // to answer
    // A client that wants more waits until one of its streams ends. There is no default.
    "grpc.max_concurrent_streams": 250,
    // The largest message that comes in, unpacked: no call here needs more. By default it is 4 MiB.
    "grpc.max_receive_message_length": MESSAGE_BYTES,
    // A connection without calls ends after a while, and so does any other, to make clients come
    // back to whichever server has room. At the end of the grace, calls that last are cut off.
    "grpc.max_connection_idle_ms": 5 * MINUTE_MS,
    "grpc.max_connection_age_ms": 30 * MINUTE_MS,
    "grpc.max_connection_age_grace_ms": 5 * MINUTE_MS,
  };
}
