// Server: makes a stream of requests wait until each has its answer.

import { type ServerInterceptor, status } from "@grpc/grpc-js";
import { StatusError } from "../status-error.ts";
import { serverInterceptor } from "./server-interceptor.ts";

/**
 * A handler that answers as fast as requests come, and doesn't ask whether there is room, fills the
 * memory: its client needs only to read nothing. @grpc/reflection is such a handler. This holds a
 * request back until the answer to the one before has left the process. No other is read meanwhile,
 * so flow control stops the client.
 *
 * A connection may have one such stream at a time. Node.js 20 and 22 crash if a client closes a TLS
 * connection on which several of them are being answered.
 * @param waitsByItself returns true for a method whose handler waits for room.
 */
export function oneAtATimeInterceptor(waitsByItself: (path: string) => boolean): ServerInterceptor {
  const connections = new Set<string>(); // with such a stream
  return serverInterceptor(({ path, requestStream, responseStream }, call) => {
    if (!requestStream || !responseStream || waitsByItself(path)) return {};
    const connection = call.getPeer();
    let accepted = false;
    let answering = false;
    let held: (() => void) | undefined;

    // An interceptor isn't told when a message has left. This callback is.
    // (Not `call.sendMessage = …`: guard.ts explains why.)
    const { sendMessage } = call;
    Object.assign(call, {
      sendMessage(message: unknown, sent: () => void) {
        sendMessage.call(call, message, () => {
          answering = held !== undefined;
          const letIn = held;
          held = undefined;
          sent();
          letIn?.();
        });
      },
    });
    return {
      start(next) {
        next({
          onReceiveMetadata(metadata, next) {
            if (connections.has(connection)) {
              const details = "this connection already has such a stream: end it, or open another";
              throw new StatusError(status.RESOURCE_EXHAUSTED, details);
            }
            connections.add(connection);
            accepted = true;
            next(metadata);
          },
          onReceiveMessage(message, next) {
            if (answering) {
              held = () => next(message);
            } else {
              answering = true;
              next(message);
            }
          },
          // Runs at the end of every call.
          onCancel() {
            held = undefined;
            if (accepted) connections.delete(connection);
          },
        });
      },
    };
  });
}
