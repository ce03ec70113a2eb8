// Connects to a server through one channel, which all stubs share.

import {
  type CallOptions,
  Channel,
  type ChannelCredentials,
  type ClientOptions,
  credentials,
} from "@grpc/grpc-js";

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
  /** Returns the options for a unary call that starts now: its deadline. */
  callOptions(): CallOptions;
  /** Returns the options of a stream that starts now: no deadline, unless `deadlineMs` sets one. */
  streamOptions(): CallOptions;
  close(): void;
}

/**
 * Returns a connection that opens no socket yet: grpc-js connects when the first call starts, and
 * reconnects when it has to.
 * @param options.deadlineMs how long a call may take; 0 means the default for its kind of call.
 */
export function connect(address: string, { deadlineMs }: { deadlineMs: number }): Connection {
  const plaintext = credentials.createInsecure(); // for this machine only
  const channel = new Channel(address, plaintext, {});
  return {
    stub: (Stub) => new Stub(address, plaintext, { channelOverride: channel }),
    callOptions: () => ({ deadline: Date.now() + (deadlineMs || UNARY_DEADLINE_MS) }),
    streamOptions: () => (deadlineMs > 0 ? { deadline: Date.now() + deadlineMs } : {}),
    close: () => channel.close(),
  };
}

/** Returns what is wrong with the address, or undefined if it is valid. */
export function addressProblem(address: string): string | undefined {
  const [, port] = /^(?:\[[0-9a-f:.]+\]|[^\s:/[\]]+):(\d{1,5})$/i.exec(address) ?? [];
  if (port !== undefined && Number(port) >= 1 && Number(port) <= 65535) return undefined;
  return `must be HOST:PORT, such as 127.0.0.1:50051 and without http://, not "${address}"`;
}
