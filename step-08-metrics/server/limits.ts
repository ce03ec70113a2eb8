// Limits what one client can take from the server. grpc-js sets almost no limits by itself.

import type { ServerOptions } from "@grpc/grpc-js";

/** The environment variables that the limits depend on. */
export const limitVariables = {
  KEEPALIVE_MS: {
    default: 30_000,
    min: 1,
    help: "how often the server checks that each client is still there",
  },
  MESSAGE_BYTES: { default: 64 * 1024, help: "the largest message that the server accepts" },
  IDLE_MS: { default: 300_000, min: 1, help: "how long a connection may stay open without calls" },
  AGE_MS: { default: 1_800_000, min: 1, help: "how long a connection may stay open at all" },
} as const;

/** Returns server options that keep any single connection from exhausting the server. */
export function serverLimits(variables: {
  readonly KEEPALIVE_MS: number;
  readonly MESSAGE_BYTES: number;
  readonly IDLE_MS: number;
  readonly AGE_MS: number;
}): ServerOptions {
  const { KEEPALIVE_MS, MESSAGE_BYTES, IDLE_MS, AGE_MS } = variables;
  return {
    // A client that loses power can't close its connection. The server pings each client, and
    // closes the connection if no answer comes. By default it never pings, and dead streams stay
    // open.
    "grpc.keepalive_time_ms": KEEPALIVE_MS,
    "grpc.keepalive_timeout_ms": Math.min(KEEPALIVE_MS, 10_000), // how long to wait for the answer
    // Beyond this, a client's calls wait until one of its streams ends. The default is no limit.
    // (Node.js 22 and newer count a cancelled stream for a moment longer. The next call may then be
    // refused with RESOURCE_EXHAUSTED.)
    "grpc.max_concurrent_streams": 250,
    // The largest request, after decompression. The default is 4 MiB, which no call here needs.
    "grpc.max_receive_message_length": MESSAGE_BYTES,
    // Idle connections end, and so do old ones, so that clients reconnect to whichever server has
    // room. At the end of the grace period, calls that still run are cut off.
    "grpc.max_connection_idle_ms": IDLE_MS,
    "grpc.max_connection_age_ms": AGE_MS,
    "grpc.max_connection_age_grace_ms": AGE_MS / 6,
  };
}
