// Lets a bidirectional handler be an async function: requests come in, and it sends when it likes.

import { once } from "node:events";
import type { handleBidiStreamingCall } from "@grpc/grpc-js";
import type { CallContext } from "./call-context.ts";
import { failStream } from "./fail-stream.ts";
import { streamContext } from "./stream-context.ts";
import { writeMessage } from "./write-message.ts";

export interface BidiContext<Response> extends CallContext {
  /** Resolves when there is room for another response. */
  send(response: Response): Promise<void>;
}

/**
 * Runs `converse` and ends the call when it ends: with OK, or with the status that it throws. Once
 * the signal aborts the call is over, even if `converse` is still waiting for something.
 * @param closing aborts when the server closes: the call ends then.
 */
export function bidi<Request, Response>(
  closing: AbortSignal,
  converse: (requests: AsyncIterator<Request>, context: BidiContext<Response>) => Promise<void>,
): handleBidiStreamingCall<Request, Response> {
  return (call) => {
    const { context, over } = streamContext(call, closing);
    const { signal } = context;
    // An ordinary loop over a stream destroys it at its end. Here that end is the client's
    // half-close, after which we still have much to send. (Node.js's streams have this iterator.)
    const requests: AsyncIterator<Request> = call.iterator({ destroyOnReturn: false });
    const send = (response: Response) => writeMessage(call, response, signal);
    const done = (async () => converse(requests, { ...context, send }))();
    const aborted = signal.aborted ? Promise.resolve() : once(signal, "abort");
    Promise.race([done, aborted])
      .then(() => signal.throwIfAborted())
      .then(
        () => {
          over.abort(); // First of all, so that nothing is written after the end.
          call.end();
        },
        (thrown: unknown) => {
          over.abort();
          failStream(call, thrown);
        },
      );
  };
}
