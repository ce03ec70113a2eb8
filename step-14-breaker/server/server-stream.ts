// Lets a server-streaming handler be an async generator: the client receives what it yields.

import type { handleServerStreamingCall } from "@grpc/grpc-js";
import type { CallContext } from "./call-context.ts";
import { failStream } from "./fail-stream.ts";
import { streamContext } from "./stream-context.ts";
import { writeMessage } from "./write-message.ts";

/**
 * @param closing aborts when the server closes; the call then ends.
 * @param produce the handler. It must end when the context's signal aborts.
 */
export function serverStream<Request, Response>(
  closing: AbortSignal,
  produce: (request: Request, context: CallContext) => AsyncIterable<Response>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    const context = streamContext(call, closing);
    const send = async () => {
      for await (const message of produce(call.request, context)) {
        await writeMessage(call, message, context.signal);
      }
      // After an abort the generator ends without an error. This throws the reason, so that the
      // call ends with it.
      context.signal.throwIfAborted();
    };
    send().then(
      () => call.end(),
      (thrown: unknown) => failStream(call, thrown),
    );
  };
}
