// Lets a bidirectional handler be an async function that receives requests and sends responses.

import { once } from "node:events";
import type { handleBidiStreamingCall } from "@grpc/grpc-js";
import type { CallContext } from "./call-context.ts";
import { failStream } from "./fail-stream.ts";
import { streamContext } from "./stream-context.ts";
import { writeMessage } from "./write-message.ts";

export interface BidiContext<Response> extends CallContext {
  /** Sends a response, and resolves when there is room for another one. */
  send(response: Response): Promise<void>;
}

/**
 * Runs `converse` and ends the call with OK when it returns, or with the status that it throws.
 * When the context's signal aborts, the call ends even if `converse` is still waiting.
 * @param closing aborts when the server closes, which ends the call.
 */
export function bidi<Request, Response>(
  closing: AbortSignal,
  converse: (requests: AsyncIterator<Request>, context: BidiContext<Response>) => Promise<void>,
): handleBidiStreamingCall<Request, Response> {
  return (call) => {
    const over = new AbortController();
    const context = streamContext(call, closing, over);
    const { signal } = context;
    // An ordinary iterator ends at the client's half-close, and in most versions of Node.js it then
    // destroys the stream. But we still have responses to send, so ours leaves the stream alone.
    const requests: AsyncIterator<Request> = call.iterator({ destroyOnReturn: false });
    const send = (response: Response) => writeMessage(call, response, signal);
    const done = (async () => converse(requests, { ...context, send }))();
    const aborted = signal.aborted ? Promise.resolve() : once(signal, "abort");
    Promise.race([done, aborted])
      .then(() => signal.throwIfAborted())
      .then(
        () => {
          over.abort(); // First, so that nothing is written after the end.
          call.end();
        },
        (thrown: unknown) => {
          over.abort();
          failStream(call, thrown);
        },
      );
  };
}
