// Decides what a call passes on to the calls that are made for it: who, which, and how long.

import { type CallOptions, Metadata, status } from "@grpc/grpc-js";
import { REQUEST_ID } from "../metadata-keys.ts";
import { writeUser } from "../security/on-behalf-of.ts";
import type { CallContext } from "./call-context.ts";
import { StatusError } from "./status-error.ts";

/** What remains for us once the inner call is over: to finish, and to send our own answer. */
const MARGIN_MS = 50;

export interface InnerCall {
  readonly metadata: Metadata;
  readonly options: CallOptions;
}

/**
 * Returns what goes with a call that is of no use once the outer call is over. It ends with the
 * outer call, and at the latest MARGIN_MS before the outer call's deadline.
 * @param own the options that it would have alone; its deadline may be earlier.
 * @throws {StatusError} CANCELLED if the outer call is over, DEADLINE_EXCEEDED if no time is left.
 */
export function innerCall(outer: CallContext, own: CallOptions): InnerCall {
  outer.signal.throwIfAborted(); // A parent that is already over would cancel nothing.
  const limit = Number(own.deadline ?? Number.POSITIVE_INFINITY);
  const deadline = Math.min(limit, outer.deadline - MARGIN_MS);
  if (deadline <= Date.now()) {
    throw new StatusError(status.DEADLINE_EXCEEDED, "no time is left to ask another service");
  }
  // The client's parentInterceptor cancels this call when its parent is cancelled or over.
  return { metadata: passedOn(outer), options: { ...own, parent: outer.asParent, deadline } };
}

/** Returns what goes with a call that must be finished, whatever becomes of the outer call. */
export function detachedCall(outer: CallContext, own: CallOptions): InnerCall {
  return { metadata: passedOn(outer), options: own };
}

/** Picks each entry by name. A copy of everything would pass on the caller's token, too. */
function passedOn({ metadata, caller }: CallContext): Metadata {
  const picked = new Metadata();
  for (const id of metadata.get(REQUEST_ID)) picked.set(REQUEST_ID, id);
  const user = caller?.onBehalfOf ?? caller?.userId;
  if (user !== undefined) writeUser(picked, user);
  return picked;
}
