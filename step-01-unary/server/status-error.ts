// Failures as gRPC knows them: a status code, and details that the caller may read.

import { type Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { reportFailure } from "./report.ts";

/** Throw it from a handler to end the call with this status. */
export class StatusError extends Error {
  readonly code: status;
  readonly details: string;

  constructor(code: status, details: string) {
    super(details);
    this.code = code;
    this.details = details;
  }
}

/** Returns the error for a request that is wrong whatever the state of the bakery. */
export function invalidArgument(details: string): StatusError {
  return new StatusError(status.INVALID_ARGUMENT, details);
}

/**
 * Returns the status with which a call ends whose handler has thrown. An error that isn't a
 * StatusError may hold names, paths or data: it is reported on the server, and the client gets
 * INTERNAL without its text.
 */
export function toStatus(
  thrown: unknown,
  call: { readonly metadata: Metadata; getPath(): string },
): Pick<StatusObject, "code" | "details"> {
  if (thrown instanceof StatusError) return { code: thrown.code, details: thrown.details };
  reportFailure(call, thrown);
  return { code: status.INTERNAL, details: "internal error" };
}
