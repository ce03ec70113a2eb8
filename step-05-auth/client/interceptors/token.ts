// Client: sends a token with each call. On a plaintext connection everybody on the way can read it.

import { InterceptingCall, type Interceptor } from "@grpc/grpc-js";

/** What is wrong with a token as a person typed it, without showing it; undefined if nothing is. */
export function tokenProblem(token: string): string | undefined {
  return /^[\w.~+/=-]*$/.test(token) ? undefined : "is not a token: copy all of it, and only it";
}

export function tokenInterceptor(token: string): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        metadata.set("authorization", `Bearer ${token}`);
        next(metadata, listener);
      },
    });
}
