// Lets a server-streaming handler be an async generator: what it yields, the client receives.

import type { handleServerStreamingCall } from "@grpc/grpc-js";
import type { CallContext } from "./call-context.ts";
import { failStream } from "./fail-stream.ts";
import { streamContext } from "./stream-context.ts";
import { writeMessage } from "./write-message.ts";

/**
 * @param closing aborts when the server closes: the call ends then.
 * @param produce must end when the context's signal aborts.
 */
export function serverStream<Request, Response>(
  closing: AbortSignal,
  produce: (request: Request, context: CallContext) => AsyncIterable<Response>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    const { context } = streamContext(call, closing);
    const send = async () => {
      for await (const message of produce(call.request, context)) {
        await writeMessage(call, message, context.signal);
      }
      context.signal.throwIfAborted(); // A generator that was stopped just ends: say why.
    };
    send().then(
      () => call.end(),
      (thrown: unknown) => failStream(call, thrown),
    );
  };
}
