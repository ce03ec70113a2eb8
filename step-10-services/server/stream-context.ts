// Creates the context of a streaming call, which also ends when the server closes.

import { setMaxListeners } from "node:events";
import { status } from "@grpc/grpc-js";
import { type CallContext, callContext, type ServerCall } from "./call-context.ts";
import { StatusError } from "./status-error.ts";

const MAX_TIMER_MS = 2 ** 31 - 1; // Given more than that, setTimeout fires at once.

/**
 * Returns the context, and the controller of its signal, `over`: abort it when you end the call.
 * The signal's reason is the StatusError that the call ends with. Only the first abort counts.
 * @param closing aborts when the server closes, with a StatusError as its reason.
 */
export function streamContext(
  call: ServerCall,
  closing: AbortSignal,
): { context: CallContext; over: AbortController } {
  const over = new AbortController();
  const context = callContext(call, over);
  const onClosing = () => over.abort(closing.reason);
  const onDeadline = () =>
    over.abort(new StatusError(status.DEADLINE_EXCEEDED, "the deadline has passed"));

  // At the deadline grpc-js ends the call by itself, but tells us only after everything written has
  // left the process. A client that isn't reading can delay that, but not this timer.
  const leftMs = context.deadline - Date.now();
  const timer = leftMs < MAX_TIMER_MS ? setTimeout(onDeadline, leftMs) : undefined;

  setMaxListeners(0, closing); // All calls share this signal: many listeners are not a leak.
  closing.addEventListener("abort", onClosing);
  over.signal.addEventListener("abort", () => {
    clearTimeout(timer);
    closing.removeEventListener("abort", onClosing);
  });
  if (closing.aborted) onClosing();
  return { context, over };
}
