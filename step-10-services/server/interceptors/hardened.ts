// Guards against faults in how grpc-js itself handles a call.

import { type ServerInterceptor, status } from "@grpc/grpc-js";
import { clamp, StatusError } from "../status-error.ts";
import { serverInterceptor } from "./server-interceptor.ts";

/** Refuses a call before one of its messages is read. */
const refuse = serverInterceptor(() => ({
  start(next) {
    next({
      onReceiveMetadata() {
        throw new StatusError(status.UNIMPLEMENTED, "this server accepts no compressed messages");
      },
    });
  },
}));

/**
 * Adds three guards to the outermost interceptor, the only one that gets grpc-js's own call object:
 *
 * - grpc-js decompresses all messages of an HTTP/2 frame at once, and keeps them until the client
 *   closes the stream: 16 KB become 9 MB. So calls with compressed messages are refused.
 * - grpc-js puts a `grpc-timeout` that it can't read into the details. So all details are cut.
 * - If a deadline passes while messages wait to be sent, grpc-js sends the next one after the
 *   status, and then neither leaves. So no message is sent after the status.
 */
export function hardened(outermost: ServerInterceptor): ServerInterceptor {
  return (method, call) => {
    const { sendMessage, sendStatus } = call;
    let over = false;
    // Methods of a literal: guard.ts explains why.
    Object.assign(call, {
      sendMessage(message: unknown, sent: () => void) {
        if (!over) sendMessage.call(call, message, sent);
      },
      sendStatus(ended: Parameters<typeof sendStatus>[0]) {
        over = true;
        sendStatus.call(call, { ...ended, details: clamp(ended.details ?? "") });
      },
    });
    const intercepted = outermost(method, call);
    // No public property says how messages are compressed. If grpc-js renames this private one,
    // every call is refused.
    const plain = "incomingEncoding" in call && call.incomingEncoding === "identity";
    return plain ? intercepted : refuse(method, intercepted);
  };
}
