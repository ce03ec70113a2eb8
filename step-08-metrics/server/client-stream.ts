// Lets a client-streaming handler be an async function over the messages that it receives.

import type { handleClientStreamingCall, ServerReadableStream } from "@grpc/grpc-js";
import { type CallContext, callContext } from "./call-context.ts";
import { toStatus } from "./status-error.ts";

/**
 * When `consume` throws, the call ends at once and the rest is not read. An upload may go on while
 * the server closes: it comes to an end by itself.
 */
export function clientStream<Request, Response>(
  consume: (requests: AsyncIterable<Request>, context: CallContext) => Promise<Response>,
): handleClientStreamingCall<Request, Response> {
  return (call, callback) => {
    const context = callContext(call);
    const answer = async () => consume(receive(call, context.signal), context);
    answer().then(
      (response) => callback(null, response),
      (thrown: unknown) => callback(toStatus(thrown, call)),
    );
  };
}

/**
 * Yields the messages up to the end of the stream. That end doesn't say that the client has sent
 * all it wanted to: a client of grpc-js that cancels sends the end first and the cancel in another
 * frame.
 */
async function* receive<Request>(
  call: ServerReadableStream<Request, unknown>,
  signal: AbortSignal,
): AsyncGenerator<Request> {
  try {
    // A plain `yield* call` would destroy the call at its end, at the price of an error object.
    yield* call.iterator({ destroyOnReturn: false });
  } catch (error) {
    signal.throwIfAborted(); // The client has cancelled: that is the reason.
    throw error;
  }
}
