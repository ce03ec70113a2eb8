// How long there is somebody to work for: from a streaming call's start to its end.

import { type EventEmitter, setMaxListeners } from "node:events";
import { status } from "@grpc/grpc-js";
import { StatusError } from "./status-error.ts";

/** What this needs of a server's call, of any kind that streams. */
interface StreamingCall extends EventEmitter {
  getDeadline(): Date | number;
}

/**
 * Aborts when the client has cancelled or is gone, when its deadline has passed, or when the server
 * closes. The reason is the StatusError to end the call with. Abort it when you end the call.
 */
export function callLife(call: StreamingCall, closing: AbortSignal): AbortController {
  const life = new AbortController();
  const stop = (code: status, details: string) => life.abort(new StatusError(code, details));
  const onClosing = () => stop(status.UNAVAILABLE, "the bakery is closing");
  const onDeadline = () => stop(status.DEADLINE_EXCEEDED, "the deadline has passed");

  // grpc-js ends a call at its deadline by itself, but says so only when all that was written is on
  // its way. A client that does not read can hold that up. It cannot hold up this timer.
  const leftMs = Number(call.getDeadline()) - Date.now();
  const timer = Number.isFinite(leftMs) ? setTimeout(onDeadline, leftMs) : undefined;

  // "cancelled" is the last event of every call, of one that went well too. It says that there is
  // nobody left to work for, and it is the place to let go of everything. If the life has ended
  // before, the first reason stays.
  call.once("cancelled", () => {
    clearTimeout(timer);
    closing.removeEventListener("abort", onClosing);
    stop(status.CANCELLED, "the client has cancelled, or is gone");
  });
  setMaxListeners(0, closing); // One signal for all calls: many listeners are no leak here.
  closing.addEventListener("abort", onClosing);
  if (closing.aborted) queueMicrotask(onClosing); // never before the caller listens
  return life;
}
