// Client: sends a token with each call. On a plaintext connection, an eavesdropper can read it.

import { InterceptingCall, type Interceptor } from "@grpc/grpc-js";

/** Returns what is wrong with a token, without showing it, or undefined if it is valid. */
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
