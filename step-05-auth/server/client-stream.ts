// Lets a client-streaming handler be an async function over the messages that it receives.

import { setImmediate, setTimeout } from "node:timers/promises";
import { type handleClientStreamingCall, type ServerReadableStream, status } from "@grpc/grpc-js";
import { StatusError, toStatus } from "./status-error.ts";

const CANCEL_SHOWS_MS = 20;

/**
 * When `consume` throws, the call ends at once and the rest is not read. An upload under way may go
 * on while the server closes: it comes to its end by itself.
 */
export function clientStreamHandler<Request, Response>(
  consume: (messages: AsyncIterable<Request>) => Promise<Response>,
): handleClientStreamingCall<Request, Response> {
  return (call, callback) => {
    consume(receive(call)).then(
      (response) => callback(null, response),
      (thrown: unknown) => {
        const answer = toStatus(thrown, call.getPath());
        console.log(`${call.getPath()} ended: ${answer.details}`);
        callback(answer);
      },
    );
  };
}

/**
 * The messages, up to an end that is one. A client of grpc-js that cancels sends the end first and
 * the cancel in a frame of its own, so for a moment a broken upload looks like a complete one. The
 * wait catches nearly all of these; what must never go wrong needs a message that says "all".
 */
async function* receive<Request>(
  call: ServerReadableStream<Request, unknown>,
): AsyncGenerator<Request> {
  try {
    // A plain `yield* call` would destroy the call at its end, with an error made for nobody.
    yield* call.iterator({ destroyOnReturn: false });
  } catch (error) {
    if (!call.cancelled) throw error;
  }
  await setTimeout(CANCEL_SHOWS_MS);
  for (let turn = 0; turn < 3; turn++) await setImmediate(); // Reads what has come in meanwhile.
  if (call.cancelled) {
    throw new StatusError(status.CANCELLED, "the client has cancelled, or is gone");
  }
}
