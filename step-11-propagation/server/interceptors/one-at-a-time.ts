// Server: makes a stream of requests wait until each has its answer.

import type { ServerInterceptor } from "@grpc/grpc-js";
import { serverInterceptor } from "./server-interceptor.ts";

/**
 * A handler that answers as fast as requests come, and doesn't ask whether there is room, fills the
 * memory: its client needs only to read nothing. @grpc/reflection is such a handler. This holds a
 * request back until the answer to the one before has left the process. No other is read meanwhile,
 * so flow control stops the client.
 * @param waitsByItself returns true for a method whose handler waits for room.
 */
export function oneAtATimeInterceptor(waitsByItself: (path: string) => boolean): ServerInterceptor {
  return serverInterceptor(({ path, requestStream, responseStream }, call) => {
    if (!requestStream || !responseStream || waitsByItself(path)) return {};
    let answering = false;
    let held: (() => void) | undefined;

    // An interceptor isn't told when a message has left. This callback is.
    const { sendMessage } = call;
    call.sendMessage = (message, sent) => {
      sendMessage.call(call, message, () => {
        answering = held !== undefined;
        const letIn = held;
        held = undefined;
        sent();
        letIn?.();
      });
    };
    return {
      start(next) {
        next({
          onReceiveMessage(message, next) {
            if (answering) {
              held = () => next(message);
            } else {
              answering = true;
              next(message);
            }
          },
          onCancel() {
            held = undefined;
          },
        });
      },
    };
  });
}
