// Lets a client-streaming handler be an async function over the messages that it receives.

import type { handleClientStreamingCall, ServerReadableStream } from "@grpc/grpc-js";
import { type CallContext, callContext } from "./call-context.ts";
import { failStream } from "./fail-stream.ts";

/**
 * Runs `consume` and answers with the response that it returns, or with the status that it throws.
 * When it throws, the rest of the messages isn't read. A server that closes doesn't end the call:
 * an upload comes to an end by itself.
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
 * everything: a client of grpc-js that cancels first ends its stream, and cancels in another frame.
 */
async function* receive<Request>(
  call: ServerReadableStream<Request, unknown>,
  signal: AbortSignal,
): AsyncGenerator<Request> {
  try {
    // A plain `yield* call` would destroy the call at its end, which costs an error object.
    yield* call.iterator({ destroyOnReturn: false });
  } catch (error) {
    signal.throwIfAborted(); // The client has cancelled: that is the reason.
    throw error;
  }
}
