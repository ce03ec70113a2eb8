// Lets a client-streaming handler be an async function over the messages that it receives.

import type { handleClientStreamingCall, ServerReadableStream } from "@grpc/grpc-js";
import { type CallContext, callContext } from "./call-context.ts";
import { failStream } from "./fail-stream.ts";

/**
 * Runs `consume` and answers with the response that it returns, or with the status that it throws.
 * When it throws, the remaining messages aren't read. A closing server doesn't cut the call off,
 * because an upload ends by itself.
 */
export function clientStream<Request, Response>(
  consume: (requests: AsyncIterable<Request>, context: CallContext) => Promise<Response>,
): handleClientStreamingCall<Request, Response> {
  return (call, callback) => {
    const context = callContext(call);
    const answer = async () => consume(receive(call, context.signal), context);
    answer().then(
      (response) => callback(null, response),
      (thrown: unknown) => failStream(call, thrown),
    );
  };
}

/**
 * Yields the messages up to the end of the stream. This end doesn't mean that the client has sent
 * everything: when a grpc-js client cancels, it ends its stream first and cancels a frame later.
 */
async function* receive<Request>(
  call: ServerReadableStream<Request, unknown>,
  signal: AbortSignal,
): AsyncGenerator<Request> {
  try {
    // A plain `yield* call` would destroy the call at its end, with an error that nobody reads.
    yield* call.iterator({ destroyOnReturn: false });
  } catch (error) {
    signal.throwIfAborted(); // If the connection broke, report that the client is gone.
    throw error;
  }
}
