// Ends a stream with an error.

import type { ServerCall } from "./call-context.ts";
import { toStatus } from "./status-error.ts";

/** Ends the call with the status of what was thrown. */
export function failStream(call: ServerCall, thrown: unknown): void {
  const { code, details } = toStatus(thrown, call);
  // On an "error" event grpc-js sends this status, if the client is still there. After
  // call.destroy(error) it would send none, and the client would wait forever.
  call.emit("error", { code, details });
}
