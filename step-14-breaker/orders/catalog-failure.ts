// Decides what a customer learns when a call to the catalog has failed.

import { status } from "@grpc/grpc-js";
import { isServiceError } from "../client/service-error.ts";
import { doNotRetry } from "../server/pushback.ts";
import { StatusError } from "../server/status-error.ts";

/**
 * The customer's own affair: no such product, too few left, or a key that she used for other lines.
 * The details are meant for her.
 */
const PASSED_ON: readonly status[] = [
  status.FAILED_PRECONDITION,
  status.NOT_FOUND,
  status.ALREADY_EXISTS,
];

/** The same call may succeed later. */
const NOT_NOW: readonly status[] = [
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
];

/**
 * Returns the error that ends the customer's call. Everything else, such as UNAUTHENTICATED, is
 * between the two services. It is returned unchanged: `toStatus` logs it and answers INTERNAL.
 */
export function asCustomersError(thrown: unknown): unknown {
  if (!isServiceError(thrown)) return thrown;
  // Not `thrown` itself: grpc-js would send its metadata along, too.
  if (PASSED_ON.includes(thrown.code)) return new StatusError(thrown.code, thrown.details);
  return NOT_NOW.includes(thrown.code) ? nothingOrdered(thrown) : thrown;
}

/**
 * Logs the error of the inner call, and returns UNAVAILABLE for the customer. We have repeated the
 * inner call already. If her client repeated the outer one, the attempts would multiply.
 */
export function nothingOrdered(thrown: unknown): StatusError {
  console.error("the catalog failed:", thrown instanceof Error ? thrown.message : thrown);
  const details = "the catalog is unavailable; nothing was ordered";
  return new StatusError(status.UNAVAILABLE, details, doNotRetry());
}
