// Client: cancels a call when its parent is cancelled, or over.

import { type EventEmitter, setMaxListeners } from "node:events";
import { InterceptingCall, type Interceptor, propagate, status } from "@grpc/grpc-js";

/**
 * grpc-js would do that, too, but it never stops listening to the parent. A stream that makes many
 * calls would keep all of them in memory until it ends. So we listen, and leave grpc-js only the
 * parent's deadline.
 */
export const parentInterceptor: Interceptor = (options, nextCall) => {
  const { parent } = options;
  if (parent === undefined) return new InterceptingCall(nextCall(options));
  const call = nextCall({ ...options, propagate_flags: propagate.DEADLINE });
  const events: EventEmitter = parent;
  const cancel = () => call.cancelWithStatus(status.CANCELLED, "the parent call is over");
  return new InterceptingCall(call, {
    start(metadata, _listener, next) {
      setMaxListeners(0, events); // Many calls at once are no leak: each stops listening.
      events.on("cancelled", cancel);
      next(metadata, {
        onReceiveStatus(ended, next) {
          events.off("cancelled", cancel);
          next(ended);
        },
      });
    },
  });
};
