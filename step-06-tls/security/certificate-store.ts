// Keeps certificates in a folder: NAME.pem, and beside it the private key NAME-key.pem.

import { createPrivateKey, X509Certificate } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { isIP } from "node:net";
import { basename, dirname, join } from "node:path";
import type { Pair } from "./certificates.ts";

/** Where the certificates are unless somebody says otherwise. Git ignores it. */
export const certsFolder: string = join(import.meta.dirname, "..", "certs");

export function readPair(folder: string, name: string): Pair | undefined {
  const [certificate, key] = [join(folder, `${name}.pem`), join(folder, `${name}-key.pem`)];
  if (!existsSync(certificate) || !existsSync(key)) return undefined;
  return { certificate: readFileSync(certificate, "utf8"), key: readFileSync(key, "utf8") };
}

/**
 * The server's pair and its CA where the CA's key is kept elsewhere; undefined where it is here, or
 * there is no CA yet.
 * @throws {Error} if the server's pair is of no use: without the CA's key it cannot be made again.
 */
export function readForeign(folder: string): Record<"ca" | "server", Pair> | undefined {
  const [ca, caKey] = [join(folder, "ca.pem"), join(folder, "ca-key.pem")];
  if (!existsSync(ca) || existsSync(caKey)) return undefined;
  const issuer = { certificate: readFileSync(ca, "utf8"), key: "" };
  const server = readPair(folder, "server");
  if (isGood(server, issuer)) return { ca: issuer, server };
  throw new Error(
    `${folder}: server.pem is missing, has expired, or is not of this ca.pem. ` +
      "Renew it, or remove the folder: then a new CA is made",
  );
}

/** True if the pair belongs together, is of `issuer`, has not expired, and is good for `names`. */
export function isGood(
  pair: Pair | undefined,
  issuer: Pair | undefined,
  names: readonly string[] = [],
): pair is Pair {
  if (pair === undefined || issuer === undefined) return false;
  try {
    const certificate = new X509Certificate(pair.certificate);
    const goodFor = (name: string) =>
      isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name);
    return (
      Date.parse(certificate.validTo) > Date.now() &&
      certificate.checkPrivateKey(createPrivateKey(pair.key)) &&
      certificate.verify(new X509Certificate(issuer.certificate).publicKey) &&
      names.every((name) => goodFor(name) !== undefined)
    );
  } catch {
    return false; // Not PEM, or cut off.
  }
}

/**
 * @param isNew true: the folder was not there, and comes to be with all pairs in it, or not at all.
 * @returns false if it is there meanwhile: another server was faster, and its pairs count.
 */
export function savePairs(
  folder: string,
  pairs: Readonly<Record<string, Pair>>,
  isNew: boolean,
): boolean {
  if (!isNew) {
    writePairs(folder, pairs);
    return true;
  }
  mkdirSync(dirname(folder), { recursive: true });
  const draft = mkdtempSync(join(dirname(folder), `${basename(folder)}-`));
  try {
    writePairs(draft, pairs);
    renameSync(draft, folder);
    return true;
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
    return false;
  }
}

function writePairs(folder: string, pairs: Readonly<Record<string, Pair>>): void {
  for (const [name, { certificate, key }] of Object.entries(pairs)) {
    replaceFile(join(folder, `${name}-key.pem`), key, 0o600);
    replaceFile(join(folder, `${name}.pem`), certificate, 0o644);
  }
}

/** A reader finds the old text or the new one, never half of it. */
function replaceFile(file: string, text: string, mode: number): void {
  const draft = `${file}.${process.pid}.new`;
  writeFileSync(draft, text, { mode });
  renameSync(draft, file);
}
