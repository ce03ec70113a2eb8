// Creates the context of a streaming call. Its signal also aborts when the server closes.

import { setMaxListeners } from "node:events";
import { status } from "@grpc/grpc-js";
import { type CallContext, callContext, type ServerCall } from "./call-context.ts";
import { StatusError } from "./status-error.ts";

const MAX_TIMER_MS = 2 ** 31 - 1; // Given more than that, setTimeout fires at once.

/**
 * Returns the context. The reason of its signal is the StatusError that the call ends with. Only
 * the first abort counts.
 * @param closing aborts when the server closes, with a StatusError as its reason.
 * @param over the controller of the signal, if the caller aborts it too.
 */
export function streamContext(
  call: ServerCall,
  closing: AbortSignal,
  over = new AbortController(),
): CallContext {
  const context = callContext(call, over);
  const onClosing = () => over.abort(closing.reason);
  const onDeadline = () =>
    over.abort(new StatusError(status.DEADLINE_EXCEEDED, "the deadline has passed"));

  // At the deadline grpc-js ends the call by itself, but tells us only once everything written has
  // been sent. A client that doesn't read delays that, so we set a timer of our own.
  const leftMs = context.deadline - Date.now();
  const timer = leftMs < MAX_TIMER_MS ? setTimeout(onDeadline, leftMs) : undefined;

  setMaxListeners(0, closing); // All calls share this signal: many listeners are not a leak.
  closing.addEventListener("abort", onClosing);
  over.signal.addEventListener("abort", () => {
    clearTimeout(timer);
    closing.removeEventListener("abort", onClosing);
  });
  if (closing.aborted) onClosing();
  return context;
}
