// Tells the user when an answer comes from a replica that has lost its leader.

import { InterceptingCall, type Interceptor } from "@grpc/grpc-js";
import { LEVELS_AGE } from "../metadata-keys.ts";

const REASON = "their server has lost its leader";

export const oldLevelsInterceptor: Interceptor = (options, nextCall) =>
  new InterceptingCall(nextCall(options), {
    start(metadata, _listener, next) {
      next(metadata, {
        onReceiveMetadata(received, next) {
          const ageMs = Number(received.get(LEVELS_AGE)[0] ?? 0);
          const seconds = (ageMs / 1000).toFixed(1);
          if (ageMs > 0) console.error(`these levels are ${seconds} s old: ${REASON}`);
          next(received);
        },
      });
    },
  });
