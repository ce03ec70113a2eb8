// Client: a call that ends as soon as it starts.

import { Metadata, type NextCall, status } from "@grpc/grpc-js";
import { RETRY_PUSHBACK } from "../metadata-keys.ts";

/**
 * Returns what an interceptor can use in place of `nextCall(options)`. That would make a real call;
 * if it never starts, it stays in memory until its deadline.
 */
export function refusedCall(details: string): ReturnType<NextCall> {
  return {
    start(_metadata, listener) {
      const metadata = new Metadata();
      metadata.set(RETRY_PUSHBACK, "-1"); // Whoever made the call needn't repeat it now.
      const ended = { code: status.UNAVAILABLE, details, metadata };
      process.nextTick(() => listener?.onReceiveStatus?.(ended)); // Not before start returns.
    },
    cancelWithStatus() {},
    getPeer: () => "",
    sendMessageWithContext({ callback }) {
      process.nextTick(() => callback?.());
    },
    sendMessage() {},
    startRead() {},
    halfClose() {},
    getAuthContext: () => null,
  };
}
