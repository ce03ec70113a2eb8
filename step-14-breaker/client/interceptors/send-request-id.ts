// Client: sends an id with each call, so that you can find the call in the server's log.

import { randomUUID } from "node:crypto";
import { InterceptingCall, type Interceptor } from "@grpc/grpc-js";
import { REQUEST_ID } from "../../metadata-keys.ts";

/** Keeps the id of a call that already has one. */
export const sendRequestIdInterceptor: Interceptor = (options, nextCall) =>
  new InterceptingCall(nextCall(options), {
    start(metadata, listener, next) {
      if (metadata.get(REQUEST_ID).length === 0) metadata.set(REQUEST_ID, randomUUID());
      next(metadata, listener);
    },
  });
