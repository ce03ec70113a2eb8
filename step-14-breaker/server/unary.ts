// Lets a unary handler be an async function that returns the response.

import type { handleUnaryCall, ServerUnaryCall } from "@grpc/grpc-js";
import { type CallContext, callContext } from "./call-context.ts";
import { toStatus } from "./status-error.ts";

/**
 * Returns the callback-style handler that grpc-js expects. grpc-js ignores the promise that an
 * async handler returns: if it rejected, the client would get no answer and the process would end.
 * This handler calls the callback exactly once, with a response or an error.
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

/** Rejects even if the handler throws before it returns a promise. */
async function answer<Request, Response>(
  handle: (request: Request, context: CallContext) => Promise<Response>,
  call: ServerUnaryCall<Request, Response>,
): Promise<Response> {
  return handle(call.request, callContext(call));
}
