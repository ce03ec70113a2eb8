// Connects to a server through one channel, which all stubs share.

import {
  type CallOptions,
  Channel,
  type ChannelCredentials,
  type ClientOptions,
  credentials,
} from "@grpc/grpc-js";
import { defaultDeadlineInterceptor } from "./interceptors/default-deadline.ts";
import { sendRequestIdInterceptor } from "./interceptors/send-request-id.ts";
import { timingInterceptor } from "./interceptors/timing.ts";
import { tokenInterceptor } from "./interceptors/token.ts";

const UNARY_DEADLINE_MS = 2000;

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
  /** The token to send with each call; empty for none. */
  readonly token: string;
}

/**
 * Returns a connection that opens no socket yet: grpc-js connects when the first call starts, and
 * reconnects when it has to.
 */
export function connect(
  address: string,
  { deadlineMs, verbose, token }: ConnectOptions,
): Connection {
  const plaintext = credentials.createInsecure(); // for this machine only
  const channel = new Channel(address, plaintext, {});
  // The first is the outermost: it sees a call first and its outcome last.
  const interceptors = [
    defaultDeadlineInterceptor(UNARY_DEADLINE_MS),
    sendRequestIdInterceptor,
    ...(token === "" ? [] : [tokenInterceptor(token)]),
    ...(verbose ? [timingInterceptor] : []),
  ];
  return {
    stub: (Stub) => new Stub(address, plaintext, { channelOverride: channel, interceptors }),
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
