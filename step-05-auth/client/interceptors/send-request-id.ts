// Client: sends an id with each call, to find it again in the server's log.

import { randomUUID } from "node:crypto";
import { InterceptingCall, type Interceptor } from "@grpc/grpc-js";

export const REQUEST_ID = "x-request-id";

/** Keeps the id of a caller that has brought one. */
export const sendRequestIdInterceptor: Interceptor = (options, nextCall) =>
  new InterceptingCall(nextCall(options), {
    start(metadata, listener, next) {
      if (metadata.get(REQUEST_ID).length === 0) metadata.set(REQUEST_ID, randomUUID());
      next(metadata, listener);
    },
  });
