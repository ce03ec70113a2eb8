// Tells whose a token is, once for each token.

import { errors, importSPKI, jwtVerify } from "jose";
import { LRUCache } from "lru-cache";
import { type Identity, roles } from "./identity.ts";

export const ALGORITHM = "EdDSA";
export const ISSUER = "bakery";
export const AUDIENCE = "bakery.v1";

const MAX_TOKEN_CHARACTERS = 4096;
const MAX_CACHED_TOKENS = 1000;

/** What a client may know of a token that is refused; no more. */
export type Refusal = "token expired" | "token invalid";

/** Gives the identity, or why there is none. */
export type TokenVerifier = (token: string) => Promise<Identity | Refusal>;

export async function tokenVerifier(publicKeyPem: string): Promise<TokenVerifier> {
  const key = await importSPKI(publicKeyPem, ALGORITHM);
  const verified = new LRUCache<string, Identity>({ max: MAX_CACHED_TOKENS });

  return async (token) => {
    const known = verified.get(token);
    if (known !== undefined) return known;
    if (token.length > MAX_TOKEN_CHARACTERS) return "token invalid";
    try {
      const { payload } = await jwtVerify<{ role?: unknown }>(token, key, {
        algorithms: [ALGORITHM], // Named here, never taken from the token.
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ["sub", "role", "iat", "exp"],
      });
      const role = roles.find((name) => name === payload.role);
      if (role === undefined || !payload.sub || payload.exp === undefined) return "token invalid";
      const identity = { userId: payload.sub, role };
      const leftMs = payload.exp * 1000 - Date.now();
      if (leftMs > 0) verified.set(token, identity, { ttl: leftMs }); // Never beyond its end.
      return identity;
    } catch (error) {
      return error instanceof errors.JWTExpired ? "token expired" : "token invalid";
    }
  };
}
