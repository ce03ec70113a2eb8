// Lets a bidirectional handler be an async function: what comes in, a way to send, and a signal.

import { once } from "node:events";
import type { handleBidiStreamingCall, Metadata } from "@grpc/grpc-js";
import { callLife } from "./call-life.ts";
import { toStatus } from "./status-error.ts";
import { writeMessage } from "./write-message.ts";

/**
 * Runs `converse` and ends the call when it ends: with OK, or with the status that it throws. When
 * the signal aborts the call is over, whatever `converse` still waits for.
 */
export function bidiHandler<Request, Response>(
  closing: AbortSignal,
  converse: (
    requests: AsyncIterator<Request>,
    send: (response: Response) => Promise<void>,
    signal: AbortSignal,
    metadata: Metadata,
  ) => Promise<void>,
): handleBidiStreamingCall<Request, Response> {
  return (call) => {
    const life = callLife(call, closing);
    const { signal } = life;
    // An ordinary loop over a stream destroys it at its end. Here that end is the client's
    // half-close, after which we still have much to send. (Node's streams have this iterator.)
    const requests: AsyncIterator<Request> = call.iterator({ destroyOnReturn: false });
    const send = (response: Response) => writeMessage(call, response, signal);
    const over = once(signal, "abort").then(() => signal.throwIfAborted());
    const done = converse(requests, send, signal, call.metadata).then(() =>
      signal.throwIfAborted(),
    );
    Promise.race([done, over]).then(
      () => {
        life.abort(); // First of all, so that nothing is written after the end.
        call.end();
      },
      (thrown: unknown) => {
        life.abort();
        const { code, details } = toStatus(thrown, call.getPath());
        console.log(`${call.getPath()} ended: ${details}`);
        call.emit("error", { code, details });
      },
    );
  };
}
