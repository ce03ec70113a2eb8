// Server: makes a stream of requests wait until each has its answer.

import { type ServerInterceptor, status } from "@grpc/grpc-js";
import { StatusError } from "../status-error.ts";
import { serverInterceptor } from "./server-interceptor.ts";

/** Requests of 16 KB, packed, can hold 12 MB of a stream while they wait: see the README. */
const MAX_STREAMS = 10;

/**
 * A handler that answers as fast as requests come, and doesn't ask whether there is room, fills the
 * memory: its client needs only to read nothing. @grpc/reflection is such a handler. This holds a
 * request back until the answer to the one before has left the process. No other is read meanwhile,
 * so flow control stops the client. Only so many streams may be open at a time, of all clients.
 * @param applies returns true for a method that sends one answer for each request.
 */
export function oneAtATimeInterceptor(applies: (path: string) => boolean): ServerInterceptor {
  let open = 0;
  return serverInterceptor(({ path, requestStream, responseStream }, call) => {
    if (!requestStream || !responseStream || !applies(path)) return {};
    let [counted, over] = [false, false];
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
          onReceiveMetadata(metadata, next) {
            if (over) return; // The client left while an interceptor further out was at work.
            if (open >= MAX_STREAMS) {
              throw new StatusError(status.RESOURCE_EXHAUSTED, "too many streams; try again later");
            }
            counted = true;
            open++;
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
          onCancel() {
            if (counted) open--;
            [counted, over] = [false, true];
            held = undefined;
          },
        });
      },
    };
  });
}
