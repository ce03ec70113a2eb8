// Keeps the identity of a call's user, where clients can't write to it.

import type { Metadata } from "@grpc/grpc-js";

export const roles = ["customer", "baker", "service"] as const;
export type Role = (typeof roles)[number];

export interface Identity {
  readonly userId: string;
  readonly role: Role;
  /** The user for whom a service makes the call, if it says so. */
  readonly onBehalfOf?: string;
}

/**
 * Keyed by the call's metadata object, which interceptors pass on to the handler. The
 * metadata's contents come from the client, which can send anything, so the identity must not be
 * stored in the metadata. Interceptors must pass on this same object, not a clone.
 */
const identities = new WeakMap<Metadata, Identity>();

export function setIdentity(metadata: Metadata, identity: Identity): void {
  identities.set(metadata, identity);
}

/** Returns undefined for a call without a token. */
export function identityOf(metadata: Metadata): Identity | undefined {
  return identities.get(metadata);
}
