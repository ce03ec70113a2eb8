// Tells a client when to repeat its call, whatever its own policy says.

import { Metadata } from "@grpc/grpc-js";
import { RETRY_PUSHBACK } from "../metadata-keys.ts";

/** Returns trailers that say: not at all. */
export function doNotRetry(): Metadata {
  const trailers = new Metadata();
  trailers.set(RETRY_PUSHBACK, "-1"); // A positive number would be the time to wait, in ms.
  return trailers;
}
