// Client: says on standard error what each call took, and the id to look for in the server's log.

import { InterceptingCall, type Interceptor, status } from "@grpc/grpc-js";
import { REQUEST_ID } from "./send-request-id.ts";

/** Runs once a call: attempts that grpc-js repeats do not show. Comes after what sets the id. */
export const timingInterceptor: Interceptor = (options, nextCall) => {
  const startedAt = performance.now();
  const name = options.method_definition.path.split("/").at(-1);
  return new InterceptingCall(nextCall(options), {
    start(metadata, _listener, next) {
      const requestId = metadata.get(REQUEST_ID)[0];
      // What this listener is not asked, the caller's own is; what it passes on goes there too.
      next(metadata, {
        onReceiveStatus(ended, next) {
          const ms = Math.round(performance.now() - startedAt);
          console.error(`${name} ${status[ended.code]} ${ms}ms id=${requestId}`);
          next(ended);
        },
      });
    },
  });
};
