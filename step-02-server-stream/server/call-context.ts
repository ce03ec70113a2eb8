// Gives a handler its call's metadata, deadline and cancellation, for all kinds of call.

import type { EventEmitter } from "node:events";
import { type Metadata, status } from "@grpc/grpc-js";
import { StatusError } from "./status-error.ts";

export interface CallContext {
  /** The call's headers. */
  readonly metadata: Metadata;
  /** Aborts when nobody is waiting for the result any more. Its reason is a StatusError. */
  readonly signal: AbortSignal;
  /** When the client stops waiting, in milliseconds since 1970; Infinity if it never does. */
  readonly deadline: number;
}

/** What grpc-js's four kinds of server call have in common, as far as the course uses it. */
export interface ServerCall extends EventEmitter {
  readonly metadata: Metadata;
  getDeadline(): Date | number;
  getPath(): string;
}

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
  call.on("cancelled", () => {
    underWay--;
    ended = true;
    controller?.abort(GONE);
  });
  return {
    metadata: call.metadata,
    deadline: Number(call.getDeadline()),
    // Created on first use, because most unary handlers don't need it.
    get signal() {
      controller ??= new AbortController();
      if (ended) controller.abort(GONE);
      return controller.signal;
    },
  };
}
