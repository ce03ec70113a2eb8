// Makes unary calls awaitable.

import type { requestCallback } from "@grpc/grpc-js";

/**
 * Returns a promise for the response of a unary call:
 * `unaryCall<Response>((done) => stub.method(…, done))`. If the call fails, the promise rejects
 * with its ServiceError.
 */
export function unaryCall<Response>(
  start: (done: requestCallback<Response>) => unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    start((error, response) => {
      // Exactly one of the two is set. Testing `error` would not narrow `response`.
      if (response !== undefined) resolve(response);
      else reject(error);
    });
  });
}
