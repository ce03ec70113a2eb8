// Client: gives a deadline to every unary call that has none.

import { InterceptingCall, type Interceptor } from "@grpc/grpc-js";

/** Streams keep the deadline that their caller chose, or none. */
export function defaultDeadlineInterceptor(deadlineMs: number): Interceptor {
  return (options, nextCall) => {
    const { requestStream, responseStream } = options.method_definition;
    const bringsNone = options.deadline === undefined && !requestStream && !responseStream;
    const deadline = Date.now() + deadlineMs;
    return new InterceptingCall(nextCall(bringsNone ? { ...options, deadline } : options));
  };
}
