// Knows who makes a call. Clients can't write to it.

import type { Metadata } from "@grpc/grpc-js";

export const roles = ["customer", "baker"] as const;
export type Role = (typeof roles)[number];

export interface Identity {
  readonly userId: string;
  readonly role: Role;
}

/**
 * Keyed by the metadata object of a call, which goes from interceptor to interceptor to handler.
 * The contents of that object would not do: they come from the client, who can send anything. So an
 * interceptor must pass on this very object, not a clone.
 */
const identities = new WeakMap<Metadata, Identity>();

export function setIdentity(metadata: Metadata, identity: Identity): void {
  identities.set(metadata, identity);
}

/** Returns undefined for a call without a token. */
export function identityOf(metadata: Metadata): Identity | undefined {
  return identities.get(metadata);
}
