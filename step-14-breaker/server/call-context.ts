// Gives a handler its call's metadata, deadline and cancellation, for all kinds of call.

import type { EventEmitter } from "node:events";
import { type CallOptions, type Metadata, status } from "@grpc/grpc-js";
import { type Identity, identityOf } from "../security/identity.ts";
import { StatusError } from "./status-error.ts";

export interface CallContext {
  /** The call's headers. */
  readonly metadata: Metadata;
  /** Aborts when nobody is waiting for the result any more. Its reason is a StatusError. */
  readonly signal: AbortSignal;
  /** When the client stops waiting, in milliseconds since 1970; Infinity if it never does. */
  readonly deadline: number;
  /** The user who makes the call; undefined for a call without a token. */
  readonly caller: Identity | undefined;
  /** The call itself, for the option `parent` of calls that are made for it. */
  readonly asParent: ServerCall;
}

/** Any of grpc-js's four kinds of server call. */
export type ServerCall = NonNullable<CallOptions["parent"]>;

let underWay = 0;

/** Returns how many calls are in progress in this process. */
export function callsUnderWay(): number {
  return underWay;
}

// Shared by all calls, because creating an error takes longer than everything else in this file.
const GONE = new StatusError(status.CANCELLED, "the client has cancelled, or is gone");

/**
 * Returns the context of a call.
 * @param controller used for `signal`, so that code on this side can abort it too.
 */
export function callContext(call: ServerCall, controller?: AbortController): CallContext {
  let ended = false;
  underWay++;
  // grpc-js emits "cancelled" at the end of every call, even a successful one. It means that nobody
  // is waiting any more, not that the client has cancelled.
  const events: EventEmitter = call; // The four kinds have no signature of `on` in common.
  events.on("cancelled", () => {
    underWay--;
    ended = true;
    controller?.abort(GONE);
  });
  return {
    metadata: call.metadata,
    deadline: Number(call.getDeadline()),
    caller: identityOf(call.metadata),
    asParent: call,
    // Created on first use, because most unary handlers don't need it.
    get signal() {
      controller ??= new AbortController();
      if (ended) controller.abort(GONE);
      return controller.signal;
    },
  };
}
