// Lets a unary handler be an async function that returns its response or throws.

import type { handleUnaryCall, ServerUnaryCall } from "@grpc/grpc-js";
import { toStatus } from "./status-error.ts";

/**
 * grpc-js never looks at the promise of a handler: an async one that rejects would answer nothing
 * and end the process. Here every outcome becomes exactly one call of the callback.
 */
export function unaryHandler<Request, Response>(
  handle: (call: ServerUnaryCall<Request, Response>) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    handle(call).then(
      (response) => callback(null, response),
      (thrown: unknown) => callback(toStatus(thrown, call.getPath())),
    );
  };
}
