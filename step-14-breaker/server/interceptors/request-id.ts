// Server: gives every call an id that links the log lines of different programs.

import { randomUUID } from "node:crypto";
import { Metadata } from "@grpc/grpc-js";
import { REQUEST_ID } from "../../metadata-keys.ts";
import { serverInterceptor } from "./server-interceptor.ts";

/** Printable ASCII, and too short to flood a log: don't trust what a client sends. */
const ACCEPTABLE = /^[\x20-\x7e]{1,64}$/;

/** Takes the client's id if it is acceptable, otherwise makes one. Sends it back either way. */
export const requestIdInterceptor = serverInterceptor(() => {
  let requestId = "";
  let answered = false;
  return {
    start(next) {
      next({
        onReceiveMetadata(metadata, next) {
          requestId = acceptableId(metadata) ?? randomUUID();
          metadata.set(REQUEST_ID, requestId); // Everyone who holds this object sees the id.
          next(metadata);
        },
      });
    },
    sendMetadata(metadata, next) {
      answered = true;
      metadata.set(REQUEST_ID, requestId);
      next(metadata);
    },
    sendStatus(status, next) {
      // A call that fails before its first message has only this one block of metadata.
      if (answered) return next(status);
      const metadata = status.metadata?.clone() ?? new Metadata();
      metadata.set(REQUEST_ID, requestId);
      next({ ...status, metadata });
    },
  };
});

function acceptableId(metadata: Metadata): string | undefined {
  const [id] = metadata.get(REQUEST_ID);
  return typeof id === "string" && ACCEPTABLE.test(id) ? id : undefined;
}
