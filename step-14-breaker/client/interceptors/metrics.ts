// Client: counts each call, its messages, and how it ended for the program that made it.

import { InterceptingCall, type Interceptor, type Metadata } from "@grpc/grpc-js";
import { PREVIOUS_ATTEMPTS } from "../../metadata-keys.ts";
import type { CallMetrics } from "../../metrics/call-metrics.ts";

/** Counts a call once, even if grpc-js retries it, and also a call that never reaches a server. */
export function clientMetricsInterceptor(metrics: CallMetrics): Interceptor {
  return (options, nextCall) => {
    const counted = metrics.open(options.method_definition);
    return new InterceptingCall(nextCall(options), {
      start(metadata, _listener, next) {
        counted.start();
        // grpc-js adds the number to the headers that it received, or to a status without headers.
        const countRetries = (received: Metadata) =>
          counted.retried(Number(received.get(PREVIOUS_ATTEMPTS)[0] ?? 0));
        next(metadata, {
          onReceiveMetadata(received, next) {
            countRetries(received);
            next(received);
          },
          onReceiveMessage(message, next) {
            // Where a call fails that was to bring one message, null comes in its place.
            if (message !== null) counted.received();
            next(message);
          },
          onReceiveStatus(ended, next) {
            countRetries(ended.metadata);
            counted.end(ended.code);
            next(ended);
          },
        });
      },
      sendMessage(message, next) {
        counted.sent();
        next(message);
      },
    });
  };
}
