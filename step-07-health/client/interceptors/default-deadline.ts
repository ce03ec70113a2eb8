// Client: no unary call without a deadline, whoever forgot it.

import { InterceptingCall, type Interceptor } from "@grpc/grpc-js";

/** Streams may last: they keep what their caller decided. */
export function defaultDeadlineInterceptor(deadlineMs: number): Interceptor {
  return (options, nextCall) => {
    const { requestStream, responseStream } = options.method_definition;
    const bringsNone = options.deadline === undefined && !requestStream && !responseStream;
    const deadline = Date.now() + deadlineMs;
    return new InterceptingCall(nextCall(bringsNone ? { ...options, deadline } : options));
  };
}
