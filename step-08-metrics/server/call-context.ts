// What a handler may know of its call beside the messages, the same for all four kinds of call.

import type { EventEmitter } from "node:events";
import { type Metadata, status } from "@grpc/grpc-js";
import { type Identity, identityOf } from "../security/identity.ts";
import { StatusError } from "./status-error.ts";

export interface CallContext {
  /** The call's headers: what the client sent beside its messages. */
  readonly metadata: Metadata;
  /** Aborts when nobody is waiting for the result any more. Its reason is a StatusError. */
  readonly signal: AbortSignal;
  /** When the client stops waiting, in milliseconds since 1970; Infinity if it never does. */
  readonly deadline: number;
  /** Who makes the call; undefined for a call without a token. */
  readonly caller: Identity | undefined;
}

/** What every kind of grpc-js's server calls has in common, as far as it is used here. */
export interface ServerCall extends EventEmitter {
  readonly metadata: Metadata;
  getDeadline(): Date | number;
  getPath(): string;
}

let underWay = 0;

/** Returns how many calls have begun and not ended, in this process. */
export function callsUnderWay(): number {
  return underWay;
}

// One object for all calls: to make an error takes longer than all the rest here.
const GONE = new StatusError(status.CANCELLED, "the client has cancelled, or is gone");

/** @param over what the context's signal belongs to, for a caller that may abort it as well. */
export function callContext(call: ServerCall, over?: AbortController): CallContext {
  let controller = over;
  let ended = false;
  underWay++;
  // grpc-js emits "cancelled" at the end of every call, successful ones too. It says that nobody is
  // waiting any more, not that somebody has cancelled.
  call.on("cancelled", () => {
    underWay--;
    ended = true;
    controller?.abort(GONE);
  });
  return {
    metadata: call.metadata,
    deadline: Number(call.getDeadline()),
    caller: identityOf(call.metadata),
    // Made when a handler asks for it: most unary calls never do.
    get signal() {
      controller ??= new AbortController();
      if (ended) controller.abort(GONE);
      return controller.signal;
    },
  };
}
