// Failures as gRPC knows them: a status code, and details that the caller may read.

import { type StatusObject, status } from "@grpc/grpc-js";

/** Thrown by a handler to end its call with this status. */
export class StatusError extends Error {
  readonly code: status;
  readonly details: string;

  constructor(code: status, details: string) {
    super(details);
    this.code = code;
    this.details = details;
  }
}

/** For a request that is wrong whatever the state of the bakery. */
export function invalidArgument(details: string): StatusError {
  return new StatusError(status.INVALID_ARGUMENT, details);
}

/**
 * The status to answer when a handler has thrown. What was not thrown for the caller's eyes is
 * logged here and answered INTERNAL without its text, which may hold names, paths or data.
 */
export function toStatus(thrown: unknown, method: string): Pick<StatusObject, "code" | "details"> {
  if (thrown instanceof StatusError) return { code: thrown.code, details: thrown.details };
  console.error(`${method} failed:`, thrown);
  return { code: status.INTERNAL, details: "internal error" };
}
