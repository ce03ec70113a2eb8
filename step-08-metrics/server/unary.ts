// Lets a unary handler be an async function from a request to its response.

import type { handleUnaryCall, ServerUnaryCall } from "@grpc/grpc-js";
import { type CallContext, callContext } from "./call-context.ts";
import { toStatus } from "./status-error.ts";

/**
 * Returns the callback-style handler that grpc-js expects. grpc-js ignores the promise of an async
 * handler: one that rejects would answer nothing and end the process. Here every outcome, a
 * response or an error, becomes exactly one call of the callback.
 */
export function unary<Request, Response>(
  handle: (request: Request, context: CallContext) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    answer(handle, call).then(
      (response) => callback(null, response),
      (thrown: unknown) => callback(toStatus(thrown, call)),
    );
  };
}

/** Rejects also when the handler throws at once. */
async function answer<Request, Response>(
  handle: (request: Request, context: CallContext) => Promise<Response>,
  call: ServerUnaryCall<Request, Response>,
): Promise<Response> {
  return handle(call.request, callContext(call));
}
