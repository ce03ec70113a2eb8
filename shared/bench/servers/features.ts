// What step 07 does for every call, for the peers: a request id, a verified token, a line in the log.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { importSPKI, jwtVerify } from "jose";
import { LRUCache } from "lru-cache";

export const REQUEST_ID = "x-request-id";

const ACCEPTABLE_ID = /^[\x20-\x7e]{1,64}$/;

// The benchmark gives a peer that is to have the features the keys and certificates of step 07.
const { KEYS, CERTS } = process.env;
const read = (folder: string, file: string) => readFileSync(join(folder, file));
const publicKey = KEYS && (await importSPKI(read(KEYS, "public-key.pem").toString(), "EdDSA"));
const verified = new LRUCache<string, string>({ max: 1000 });

/** The certificate and the private key for TLS, PEM; undefined without features. */
export const tlsFiles: { cert: Buffer; key: Buffer } | undefined = CERTS
  ? { cert: read(CERTS, "server.pem"), key: read(CERTS, "server-key.pem") }
  : undefined;

/** One call, from its first header to its line in the log. */
export class FeaturedCall {
  /** The client's id if it is acceptable, otherwise a new one. */
  readonly requestId: string;
  readonly #path: string;
  readonly #authorization: string;
  readonly #startedAt = performance.now();
  #user = "-";

  constructor(path: string, id?: string | null, authorization?: string | null) {
    this.requestId = id && ACCEPTABLE_ID.test(id) ? id : randomUUID();
    this.#path = path;
    this.#authorization = authorization ?? "";
  }

  /** Returns whether the call has a valid token. */
  async authenticate(): Promise<boolean> {
    const [, token = ""] = /^Bearer ([\w.~+/=-]+)$/i.exec(this.#authorization) ?? [];
    this.#user = verified.get(token) ?? (await verify(token).catch(() => "-"));
    return this.#user !== "-";
  }

  /** Writes the line in the log. */
  end(status: string): void {
    const ms = Math.round(performance.now() - this.#startedAt);
    const who = `user=${logWord(this.#user)} id=${logWord(this.requestId)}`;
    console.log(`${this.#path.split("/").at(-1)} ${status} ${ms}ms ${who}`);
  }
}

/** @throws {Error} if the token is invalid. */
async function verify(token: string): Promise<string> {
  if (!publicKey || token.length > 4096) throw new Error("token invalid");
  const { payload } = await jwtVerify<{ role?: unknown }>(token, publicKey, {
    algorithms: ["EdDSA"],
    issuer: "bakery",
    audience: "bakery.v1",
    requiredClaims: ["sub", "role", "iat", "exp"],
  });
  const { sub, role, exp = 0 } = payload;
  if (!sub || (role !== "customer" && role !== "baker")) throw new Error("token invalid");
  const leftMs = exp * 1000 - Date.now();
  if (leftMs > 0) verified.set(token, sub, { ttl: leftMs });
  return sub;
}

/** Quotes what is not one plain word, so that nobody can forge a field. */
function logWord(text: string): string {
  return /^[\w.:@/-]+$/.test(text) ? text : JSON.stringify(text);
}
