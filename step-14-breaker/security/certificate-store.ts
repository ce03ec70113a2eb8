// Keeps certificates in a folder: NAME.pem, with its private key NAME-key.pem beside it.

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
 * Returns the server's pair and its CA if the folder doesn't hold the CA's key. Returns undefined
 * if it does, or if there is no CA yet.
 * @throws {ExpectedError} if the server's pair is unusable: renewing it takes the CA's key.
 */
export function readWithoutCaKey(folder: string): Record<"ca" | "server", Pair> | undefined {
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
 * Returns true if certificate and key belong together, `issuer` signed it, and it hasn't expired.
 * @param names if given, exactly the names that the certificate must hold.
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
 * Writes pairs to a folder. Creates a missing folder with all pairs in it, or not at all.
 * @param options.replace true to replace pairs in an existing folder.
 * @returns false if it wrote nothing because another server has created the folder first.
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

/** Replaces a file atomically: a reader finds the old text or the new one, never half of it. */
function replaceFile(file: string, text: string, mode: number): void {
  const draft = `${file}.${process.pid}.new`;
  writeFileSync(draft, text, { mode });
  renameSync(draft, file);
}
