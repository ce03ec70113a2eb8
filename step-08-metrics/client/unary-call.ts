// Lets a unary call be awaited.

import type { requestCallback } from "@grpc/grpc-js";

/**
 * Turns the callback with which grpc-js answers a unary call into a promise:
 * `unaryCall<Response>((done) => stub.method(…, done))`. It rejects with the ServiceError of a call
 * that fails.
 */
export function unaryCall<Response>(
  start: (done: requestCallback<Response>) => unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    start((error, response) => {
      // Exactly one of the two is set. Testing the response tells the compiler which.
      if (response !== undefined) resolve(response);
      else reject(error);
    });
  });
}
