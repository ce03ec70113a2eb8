// Lets a unary call be awaited.

import type { requestCallback } from "@grpc/grpc-js";

/**
 * grpc-js answers a unary call through a callback. This makes a promise of it, which rejects with
 * the ServiceError of a call that fails: `unaryCall<Response>((done) => stub.method(…, done))`.
 */
export function unaryCall<Response>(
  start: (done: requestCallback<Response>) => unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    start((error, response) => {
      // One of the two is there. To ask for the response tells the compiler which.
      if (response !== undefined) resolve(response);
      else reject(error);
    });
  });
}
