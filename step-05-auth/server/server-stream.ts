// Lets a server-streaming handler be an async generator: what it yields, the client receives.

import type { handleServerStreamingCall } from "@grpc/grpc-js";
import { callLife } from "./call-life.ts";
import { toStatus } from "./status-error.ts";
import { writeMessage } from "./write-message.ts";

/** @param produce must end when its signal aborts. */
export function serverStreamHandler<Request, Response>(
  closing: AbortSignal,
  produce: (request: Request, signal: AbortSignal) => AsyncIterable<Response>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    const { signal } = callLife(call, closing);
    const send = async () => {
      for await (const message of produce(call.request, signal)) {
        await writeMessage(call, message, signal);
      }
      signal.throwIfAborted(); // A generator that was stopped just ends: say why.
    };
    send().then(
      () => call.end(),
      (thrown: unknown) => {
        const { code, details } = toStatus(thrown, call.getPath());
        console.log(`${call.getPath()} ended: ${details}`);
        // This is how grpc-js sends a status; to nobody, if the client is gone. call.destroy(error)
        // would send none, and the client would wait for ever.
        call.emit("error", { code, details });
      },
    );
  };
}
