// Recognizes the errors of calls.

import type { ServiceError } from "@grpc/grpc-js";

/** Returns whether this is the error of a call that ended with a status other than OK. */
export function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && "code" in thrown && "details" in thrown;
}
