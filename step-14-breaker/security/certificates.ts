// Makes certificates and their keys, as a certificate authority does. For development only.

import "reflect-metadata"; // @peculiar/x509 can't be loaded without it.
import { createPrivateKey, KeyObject, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";
import { CA_NAME, SERVER_NAME } from "./names.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const CLOCK_SKEW_MS = 60_000; // The other side's clock may be behind ours.
const DAY_MS = 24 * 60 * 60 * 1000;

/** A certificate and its private key, both PEM. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** Makes a self-signed certificate. A client that trusts it trusts every certificate it signs. */
export async function makeCa(days: number): Promise<Pair> {
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${CA_NAME}`,
    keys,
    signingAlgorithm: ALGORITHM,
    ...validFor(days),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true), // a CA, but no CAs below it
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return toPem(certificate, keys.privateKey);
}

/** Makes a server's pair. Clients accept it for the `names`, which become its SAN. */
export async function makeServerCertificate(
  ca: Pair,
  names: readonly string[],
  days: number,
): Promise<Pair> {
  const entries = names.map((value): x509.JsonGeneralName => {
    return { type: isIP(value) === 0 ? "dns" : "ip", value };
  });
  const san = new x509.SubjectAlternativeNameExtension(entries);
  return issue(ca, SERVER_NAME, x509.ExtendedKeyUsage.serverAuth, [san], days);
}

/** Makes a client's pair. Its subject is `name`, which servers see. */
export async function makeClientCertificate(ca: Pair, name: string, days: number): Promise<Pair> {
  return issue(ca, name, x509.ExtendedKeyUsage.clientAuth, [], days);
}

async function issue(
  ca: Pair,
  commonName: string,
  usage: x509.ExtendedKeyUsageType,
  extensions: readonly x509.Extension[],
  days: number,
): Promise<Pair> {
  const issuer = new x509.X509Certificate(ca.certificate);
  const [signingKey, keys] = await Promise.all([importKey(ca.key), makeKeys()]);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${commonName}`,
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    ...validFor(days),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...extensions,
    ],
  });
  return toPem(certificate, keys.privateKey);
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  // Web Crypto, which signs here, can't read PEM.
  const bytes = createPrivateKey(pem).export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", bytes, ALGORITHM, false, ["sign"]);
}

function toPem(certificate: x509.X509Certificate, key: webcrypto.CryptoKey): Pair {
  return {
    certificate: `${certificate.toString("pem")}\n`,
    key: KeyObject.from(key).export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function validFor(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - CLOCK_SKEW_MS), notAfter: new Date(now + days * DAY_MS) };
}
