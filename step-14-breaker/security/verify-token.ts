// Verifies tokens and caches the results.

import { errors, importSPKI, jwtVerify } from "jose";
import { LRUCache } from "lru-cache";
import { type Identity, roles } from "./identity.ts";
import { AUDIENCE, ISSUER } from "./names.ts";

export const ALGORITHM = "EdDSA";

const MAX_TOKEN_CHARACTERS = 4096;
const MAX_CACHED_TOKENS = 1000;

/** The reasons for a refusal that a client may know. */
export type Refusal = "token expired" | "token invalid";

/** Resolves with the token's identity, or with the reason for refusing it. */
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
        algorithms: [ALGORITHM], // Fixed here, never taken from the token.
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ["sub", "role", "iat", "exp"],
      });
      const role = roles.find((name) => name === payload.role);
      const { sub, exp } = payload;
      if (typeof sub !== "string" || sub === "" || role === undefined || exp === undefined) {
        return "token invalid";
      }
      const identity = { userId: sub, role };
      const leftMs = exp * 1000 - Date.now();
      if (leftMs > 0) verified.set(token, identity, { ttl: leftMs }); // Not past its expiry.
      return identity;
    } catch (error) {
      return error instanceof errors.JWTExpired ? "token expired" : "token invalid";
    }
  };
}
