// Turns errors into statuses: a code, and details that the client may read.

import { type Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { reportFailure } from "./report.ts";

const MAX_DETAILS_BYTES = 1024;
const encoder = new TextEncoder();
const room = Buffer.alloc(MAX_DETAILS_BYTES);

/** Thrown to end the call with this status. */
export class StatusError extends Error {
  readonly code: status;
  readonly details: string;

  /** @param details cut to 1 KB, see `clamp`. */
  constructor(code: status, details: string) {
    const clamped = clamp(details);
    super(clamped);
    this.code = code;
    this.details = clamped;
  }
}

/**
 * Returns the text, cut to MAX_DETAILS_BYTES. Details travel in a header: if they are too long,
 * they break the call, and in a grpc-js client every other call on the same connection too. A lone
 * surrogate isn't valid UTF-8, so it becomes U+FFFD.
 */
export function clamp(text: string): string {
  const { written } = encoder.encodeInto(text, room); // writes whole characters only
  return room.toString("utf8", 0, written);
}

/** Returns the error for a request that is wrong whatever the server's state. */
export function invalidArgument(details: string): StatusError {
  return new StatusError(status.INVALID_ARGUMENT, details);
}

/**
 * Returns the status of a call that `thrown` ends. An error that isn't a StatusError may contain
 * names, paths or data, so the server reports it and the client gets INTERNAL without its text. An
 * AbortError that comes from the call's signal stands for the signal's reason.
 */
export function toStatus(
  thrown: unknown,
  call: { readonly metadata: Metadata; getPath(): string },
): Pick<StatusObject, "code" | "details"> {
  const reason = thrown instanceof Error && thrown.name === "AbortError" && thrown.cause;
  if (reason instanceof StatusError) return toStatus(reason, call);
  if (thrown instanceof StatusError) return { code: thrown.code, details: thrown.details };
  reportFailure(call, thrown);
  return { code: status.INTERNAL, details: "internal error" };
}
