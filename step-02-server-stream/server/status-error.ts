// Failures as gRPC knows them: a status code, and details that the caller may read.

import { type Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { reportFailure } from "./report.ts";

const MAX_DETAILS_BYTES = 1024;
const encoder = new TextEncoder();
const room = Buffer.alloc(MAX_DETAILS_BYTES);

/** Throw it from a handler to end the call with this status. */
export class StatusError extends Error {
  readonly code: status;
  readonly details: string;

  /** @param details are cut off after 1 KB: see `clamp`. */
  constructor(code: status, details: string) {
    const clamped = clamp(details);
    super(clamped);
    this.code = code;
    this.details = clamped;
  }
}

/**
 * Returns the text, or as many of its first characters as fit. Details travel in a header: long
 * ones break the call, and with a client of grpc-js every other call on its connection. Half a
 * surrogate pair, which can't be sent, becomes U+FFFD.
 */
export function clamp(text: string): string {
  const { written } = encoder.encodeInto(text, room); // writes whole characters only
  return room.toString("utf8", 0, written);
}

/** Returns the error for a request that is wrong, whatever state the server is in. */
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
