// Ends a stream with an error.

import type { ServerCall } from "./call-context.ts";
import { toStatus } from "./status-error.ts";

/** Ends the call with the status of what was thrown. */
export function failStream(call: ServerCall, thrown: unknown): void {
  const { code, details } = toStatus(thrown, call);
  // grpc-js sends the status of an "error" event; to nobody, if the client is gone. After
  // call.destroy(error) it would send none, and the client would wait for ever.
  call.emit("error", { code, details });
}
