// Server: guards against what grpc-js itself does with the headers of a call.

import { type ServerInterceptor, status } from "@grpc/grpc-js";
import { clamp, StatusError } from "../status-error.ts";
import { serverInterceptor } from "./server-interceptor.ts";

/** Refuses a call before one of its messages is read. */
const refuse = serverInterceptor(() => ({
  start(next) {
    next({
      onReceiveMetadata() {
        throw new StatusError(status.UNIMPLEMENTED, "this server takes no compressed messages");
      },
    });
  },
}));

/**
 * Returns the outermost interceptor with two guards. Only that one gets the call that grpc-js uses.
 *
 * - A frame of 16 KB holds up to 150 messages of 64 KB, compressed. grpc-js unpacks all of them at
 *   once, and keeps them until the client closes the stream. So compressed messages are refused.
 * - grpc-js puts a deadline that it can't read into the details, whole and escaped.
 */
export function hardened(outermost: ServerInterceptor): ServerInterceptor {
  return (method, call) => {
    const { sendStatus } = call;
    // A method of a literal: guard.ts says what a function costs that is assigned to a property.
    Object.assign(call, {
      sendStatus(ended: Parameters<typeof sendStatus>[0]) {
        sendStatus.call(call, { ...ended, details: clamp(ended.details ?? "") });
      },
    });
    const intercepted = outermost(method, call);
    // There is no public way to ask. Should the field be renamed, every call is refused.
    const plain = "incomingEncoding" in call && call.incomingEncoding === "identity";
    return plain ? intercepted : refuse(method, intercepted);
  };
}
