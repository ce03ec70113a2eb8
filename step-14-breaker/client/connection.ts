// Connects to a server through one channel, which all stubs share.

import {
  type CallOptions,
  Channel,
  type ChannelCredentials,
  type ClientOptions,
  type Interceptor,
} from "@grpc/grpc-js";
import type { CallMetrics } from "../metrics/call-metrics.ts";
import { balancing } from "./balancing.ts";
import type { ChannelSecurity } from "./channel-credentials.ts";
import { defaultDeadlineInterceptor } from "./interceptors/default-deadline.ts";
import { clientMetricsInterceptor } from "./interceptors/metrics.ts";
import { parentInterceptor } from "./interceptors/parent.ts";
import { sendRequestIdInterceptor } from "./interceptors/send-request-id.ts";
import { timingInterceptor } from "./interceptors/timing.ts";
import { clientTracingInterceptor } from "./interceptors/tracing.ts";

const UNARY_DEADLINE_MS = 2000;
/** grpc-js would wait up to 2 minutes before it dials again, and all calls would fail meanwhile. */
const MAX_RECONNECT_MS = 2000;

/** A stub's class as ts-proto generates it, such as CatalogServiceClient. */
type StubClass<Stub> = new (
  address: string,
  credentials: ChannelCredentials,
  options: ClientOptions,
) => Stub;

export interface Connection {
  /** Returns a service's stub: an object with a method for each RPC. */
  stub<Stub>(stubClass: StubClass<Stub>): Stub;
  /** Returns the options for a call that starts now: its deadline, if you asked for one. */
  callOptions(): CallOptions;
  close(): void;
}

export interface ConnectOptions {
  /** How long a call may take; 0 means the default for its kind of call. */
  readonly deadlineMs: number;
  /** Prints on standard error how long each call took. */
  readonly verbose: boolean;
  /** Whom to trust, and what goes with each call. */
  readonly security: ChannelSecurity;
  /** Counts the calls. */
  readonly metrics?: CallMetrics;
  /** Records the calls as spans. */
  readonly tracing?: boolean;
  /** How calls are spread over the servers of the target; round_robin by default. */
  readonly policy?: string;
  /** Whether servers whose calls fail get none for a while; true by default. */
  readonly ejects?: boolean;
  /** How often to ask whether the server is still there, while a call is in progress. */
  readonly keepaliveMs?: number;
  /** The rest of the channel's service config, such as which calls are repeated. */
  readonly serviceConfig?: object;
  /** More interceptors, further in than the others. */
  readonly inner?: readonly Interceptor[];
}

/**
 * Returns a connection that opens no socket yet: grpc-js connects when the first call starts, and
 * reconnects when it has to.
 */
export function connect(address: string, options: ConnectOptions): Connection {
  const { deadlineMs, verbose, security, metrics, tracing } = options;
  const { policy = "round_robin", ejects = true, keepaliveMs, serviceConfig, inner = [] } = options;
  const { credentials, channelOptions } = security;
  const channel = new Channel(address, credentials, {
    ...channelOptions,
    "grpc.service_config": JSON.stringify({
      ...balancing(address, policy, ejects),
      ...serviceConfig,
    }),
    ...(keepaliveMs && {
      "grpc.keepalive_time_ms": keepaliveMs,
      "grpc.keepalive_timeout_ms": keepaliveMs,
    }),
    "grpc.max_reconnect_backoff_ms": MAX_RECONNECT_MS,
  });
  // The first is the outermost: it sees a call first and its outcome last.
  const interceptors = [
    ...(tracing ? [clientTracingInterceptor(address)] : []),
    ...(metrics ? [clientMetricsInterceptor(metrics)] : []),
    defaultDeadlineInterceptor(UNARY_DEADLINE_MS),
    sendRequestIdInterceptor,
    parentInterceptor,
    ...(verbose ? [timingInterceptor] : []),
    ...inner,
  ];
  return {
    stub: (Stub) => new Stub(address, credentials, { channelOverride: channel, interceptors }),
    callOptions: () => (deadlineMs > 0 ? { deadline: Date.now() + deadlineMs } : {}),
    close: () => channel.close(),
  };
}

/** Returns what is wrong with the address, or undefined if it is valid. */
export function addressProblem(address: string): string | undefined {
  const [, port] = /^(?:\[[0-9a-f:.]+\]|[^\s:/[\]]+):(\d{1,5})$/i.exec(address) ?? [];
  if (port !== undefined && Number(port) >= 1 && Number(port) <= 65535) return undefined;
  return `must be HOST:PORT, such as 127.0.0.1:50051 and without http://, not "${address}"`;
}
