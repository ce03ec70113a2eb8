// Client: counts each call, its messages, and how it ended for the program that made it.

import { InterceptingCall, type Interceptor } from "@grpc/grpc-js";
import type { CallMetrics } from "../../metrics/call-metrics.ts";

/** Counts a call once, even if grpc-js retries it, and also a call that never reaches a server. */
export function clientMetricsInterceptor(metrics: CallMetrics): Interceptor {
  return (options, nextCall) => {
    const counted = metrics.open(options.method_definition);
    return new InterceptingCall(nextCall(options), {
      start(metadata, _listener, next) {
        counted.start();
        next(metadata, {
          onReceiveMessage(message, next) {
            // Where a call fails that was to bring one message, null comes in its place.
            if (message !== null) counted.received();
            next(message);
          },
          onReceiveStatus(ended, next) {
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
