// Client: prints on standard error how long each call took, and its id in the server's log.

import { InterceptingCall, type Interceptor, type Metadata, status } from "@grpc/grpc-js";
import { PREVIOUS_ATTEMPTS, REQUEST_ID } from "../../metadata-keys.ts";

/**
 * Runs once per call, even if grpc-js retries it. Must come after the interceptor that sets the id.
 */
export const timingInterceptor: Interceptor = (options, nextCall) => {
  const startedAt = performance.now();
  const name = options.method_definition.path.split("/").at(-1);
  return new InterceptingCall(nextCall(options), {
    start(metadata, _listener, next) {
      const requestId = metadata.get(REQUEST_ID)[0];
      // grpc-js adds the number to what it receives: to the headers, or to a status without any.
      let attempts = 1;
      const count = (received: Metadata, otherwise = "0") => {
        attempts = Math.max(attempts, 1 + Number(received.get(PREVIOUS_ATTEMPTS)[0] ?? otherwise));
      };
      // This listener handles only these two. Everything else goes to the caller's own listener.
      next(metadata, {
        onReceiveMetadata(received, next) {
          count(received);
          next(received);
        },
        onReceiveStatus(ended, next) {
          const ms = Math.round(performance.now() - startedAt);
          // If the deadline has passed, there was nothing to receive. Then the details have it.
          count(ended.metadata, /previous attempts: (\d+)/.exec(ended.details)?.[1]);
          const result = `${name} ${status[ended.code]} ${ms}ms`;
          console.error(`${result} attempts=${attempts} id=${requestId}`);
          next(ended);
        },
      });
    },
  });
};
