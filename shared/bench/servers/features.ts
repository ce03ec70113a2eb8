// Gives peers what step 07 does for every call: a request id, a verified token and a log line.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readPublicKey } from "../../../step-07-health/security/keys.ts";
import { tokenVerifier } from "../../../step-07-health/security/verify-token.ts";
import { logStart, logWord } from "../../../step-07-health/server/log-line.ts";

const ACCEPTABLE_ID = /^[\x20-\x7e]{1,64}$/;

// The benchmark sets these only for featured peers: the keys and certificates of step 07.
const { KEYS, CERTS } = process.env;
const verify = KEYS && (await tokenVerifier(await readPublicKey(KEYS)));
const read = (file: string) => readFileSync(join(CERTS ?? "", file));

/** The TLS certificate and private key, as PEM; undefined without features. */
export const tlsFiles: { cert: Buffer; key: Buffer } | undefined = CERTS
  ? { cert: read("server.pem"), key: read("server-key.pem") }
  : undefined;

/** One call, from its first header to its log line. */
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

  /** Returns true if the call has a valid token. */
  async authenticate(): Promise<boolean> {
    const [, token = ""] = /^Bearer ([\w.~+/=-]+)$/i.exec(this.#authorization) ?? [];
    const identity = verify && (await verify(token));
    if (typeof identity === "object") this.#user = identity.userId;
    return this.#user !== "-";
  }

  /** Writes the log line. */
  end(status: string): void {
    const ms = Math.round(performance.now() - this.#startedAt);
    const who = `user=${logWord(this.#user)} id=${logWord(this.requestId)}`;
    console.log(`${logStart(this.#path)} ${status} ${ms}ms ${who}`);
  }
}
