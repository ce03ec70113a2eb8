// Server: limits the time of unary calls that have no deadline.

import { type ServerInterceptor, status } from "@grpc/grpc-js";
import { StatusError } from "../status-error.ts";
import { serverInterceptor } from "./server-interceptor.ts";

/** Ends a unary call with DEADLINE_EXCEEDED after `limitMs`, unless it brings a deadline. */
export function unaryDeadlineInterceptor(limitMs: number): ServerInterceptor {
  return serverInterceptor(({ requestStream, responseStream }, call) => {
    const bringsOne = Number(call.getDeadline()) !== Number.POSITIVE_INFINITY;
    if (requestStream || responseStream || bringsOne) return {};
    return {
      // A promise that rejects ends the call, as any error in an interceptor does.
      start(next) {
        return new Promise<void>((resolve, reject) => {
          const details = `a call without a deadline ends after ${limitMs / 1000} s`;
          const end = () => reject(new StatusError(status.DEADLINE_EXCEEDED, details));
          const timer = setTimeout(end, limitMs);
          const letGo = () => {
            clearTimeout(timer);
            resolve();
          };
          next({ onCancel: letGo }); // onCancel comes at the end of every call.
        });
      },
    };
  });
}
