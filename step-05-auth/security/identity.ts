// Who makes a call: known to the server alone.

import type { Metadata } from "@grpc/grpc-js";

export const roles = ["customer", "baker"] as const;
export type Role = (typeof roles)[number];

export interface Identity {
  readonly userId: string;
  readonly role: Role;
}

/**
 * Keyed by the metadata object of a call, which goes from interceptor to interceptor to handler.
 * Its contents would not do: they are what the client sent, and a client can send anything. An
 * interceptor further in must pass on this very object, not a clone.
 */
const identities = new WeakMap<Metadata, Identity>();

export function setIdentity(metadata: Metadata, identity: Identity): void {
  identities.set(metadata, identity);
}

/** Undefined for a call without a token. */
export function identityOf(metadata: Metadata): Identity | undefined {
  return identities.get(metadata);
}
