// Client: prints on standard error how long each call took, and its id in the server's log.

import { InterceptingCall, type Interceptor, status } from "@grpc/grpc-js";
import { REQUEST_ID } from "../../metadata-keys.ts";

/**
 * Runs once per call, even if grpc-js retries it. Must come after the interceptor that sets the id.
 */
export const timingInterceptor: Interceptor = (options, nextCall) => {
  const startedAt = performance.now();
  const name = options.method_definition.path.split("/").at(-1);
  return new InterceptingCall(nextCall(options), {
    start(metadata, _listener, next) {
      const requestId = metadata.get(REQUEST_ID)[0];
      // This listener handles only the status. Everything else goes to the caller's own listener.
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
