// Tells a server for which user a service calls it.

import type { Metadata } from "@grpc/grpc-js";
import { USER_ID } from "../metadata-keys.ts";
import type { Identity } from "./identity.ts";

/** Names the user in the metadata of a call that a service makes. */
export function writeUser(metadata: Metadata, userId: string): void {
  metadata.set(USER_ID, encodeURIComponent(userId)); // A header holds ASCII, a user id anything.
}

/** Takes the user that a caller names out of the metadata, so that nobody believes it unchecked. */
export function takeUser(metadata: Metadata): string | undefined {
  const [user] = metadata.get(USER_ID);
  metadata.remove(USER_ID);
  return user === undefined ? undefined : decoded(String(user));
}

/** Returns the caller's identity, with the user that it names if it is a service. */
export function actingFor(user: string | undefined, identity: Identity): Identity {
  const believed = identity.role === "service" && user !== undefined;
  return believed ? { ...identity, onBehalfOf: user } : identity;
}

/** Returns the text unchanged if it isn't encoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
