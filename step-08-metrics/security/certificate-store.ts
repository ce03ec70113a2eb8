// Keeps certificates in a folder: NAME.pem, and beside it the private key NAME-key.pem.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { ExpectedError } from "../../shared/terminal/program.ts";
import type { Pair } from "./certificates.ts";
import { makeFolder } from "./make-folder.ts";

/** The default folder of the certificates. Git ignores it. */
export const certsFolder: string = join(import.meta.dirname, "..", "certs");

export function readPair(folder: string, name: string): Pair | undefined {
  const [certificate, key] = [join(folder, `${name}.pem`), join(folder, `${name}-key.pem`)];
  if (!existsSync(certificate) || !existsSync(key)) return undefined;
  return { certificate: readFileSync(certificate, "utf8"), key: readFileSync(key, "utf8") };
}

/**
 * Returns the server's pair and its CA if the CA's key is kept elsewhere; undefined if it is here,
 * or there is no CA yet.
 * @throws {ExpectedError} if the server's pair is unusable: it can't be renewed without the CA's
 *   key.
 */
export function readForeign(folder: string): Record<"ca" | "server", Pair> | undefined {
  const [ca, caKey] = [join(folder, "ca.pem"), join(folder, "ca-key.pem")];
  if (!existsSync(ca) || existsSync(caKey)) return undefined;
  const issuer = { certificate: readFileSync(ca, "utf8"), key: "" };
  const server = readPair(folder, "server");
  if (isGood(server, issuer)) return { ca: issuer, server };
  throw new ExpectedError(
    `${folder}: server.pem is missing, has expired, or is not from this ca.pem. ` +
      "Renew it, or remove the folder to get a new CA",
  );
}

/**
 * Returns true if the pair belongs together, is from `issuer` and has not expired.
 * @param names if given, the names that the certificate must be good for, these and no others.
 */
export function isGood(
  pair: Pair | undefined,
  issuer: Pair | undefined,
  names?: readonly string[],
): pair is Pair {
  if (pair === undefined || issuer === undefined) return false;
  try {
    const certificate = new X509Certificate(pair.certificate);
    return (
      Date.parse(certificate.validTo) > Date.now() &&
      certificate.checkPrivateKey(createPrivateKey(pair.key)) &&
      certificate.verify(new X509Certificate(issuer.certificate).publicKey) &&
      (names === undefined || isForExactly(certificate, names))
    );
  } catch {
    return false; // Not PEM, or cut off.
  }
}

function isForExactly(certificate: X509Certificate, names: readonly string[]): boolean {
  const goodFor = (name: string) =>
    isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name);
  const entries = certificate.subjectAltName?.split(", ") ?? [];
  return entries.length === names.length && names.every((name) => goodFor(name) !== undefined);
}

/**
 * Writes pairs to a folder. A folder that doesn't exist is made with all pairs in it, or not at
 * all.
 * @param options.replace true to replace the pairs of a folder that exists.
 * @returns false if nothing was written: the folder exists, because another server was faster.
 */
export async function savePairs(
  folder: string,
  pairs: Readonly<Record<string, Pair>>,
  { replace }: { replace: boolean },
): Promise<boolean> {
  if (replace) writePairs(folder, pairs);
  return replace || (await makeFolder(folder, (draft) => writePairs(draft, pairs)));
}

function writePairs(folder: string, pairs: Readonly<Record<string, Pair>>): void {
  for (const [name, { certificate, key }] of Object.entries(pairs)) {
    replaceFile(join(folder, `${name}-key.pem`), key, 0o600);
    replaceFile(join(folder, `${name}.pem`), certificate, 0o644);
  }
}

/** Replaces a file at once: a reader finds the old text or the new one, never half of it. */
function replaceFile(file: string, text: string, mode: number): void {
  const draft = `${file}.${process.pid}.new`;
  writeFileSync(draft, text, { mode });
  renameSync(draft, file);
}
