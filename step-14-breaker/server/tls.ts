// Server: sets up TLS, makes certificates on the first start, and renews them after they expire.

import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { relative } from "node:path";
import { ServerCredentials } from "@grpc/grpc-js";
import { alone } from "../security/alone.ts";
import {
  certsFolder,
  isGood,
  readPair,
  readWithoutCaKey,
  savePairs,
} from "../security/certificate-store.ts";
import type { Pair } from "../security/certificates.ts";
import { CLIENT_NAME } from "../security/names.ts";

const CA_DAYS = 365;

/** The environment variables of a server with TLS. */
export const tlsVariables = {
  CERTS: { default: "", help: "folder of certificates; by default certs in this step's folder" },
  CERT_NAMES: {
    default: "localhost,127.0.0.1,::1",
    help: "the names that clients may dial",
    problem: namesProblem,
  },
  CERT_DAYS: { default: 30, max: 365, help: "how long a new certificate is valid" },
  MTLS: { default: 0, max: 1, help: "1: clients must present a certificate from our CA" },
} as const;

export interface TlsSettings {
  /**
   * The certificates' folder. If it has a CA but not its key, no certificates are made or renewed.
   */
  readonly folder: string;
  /** The host names and IP addresses that clients may dial. */
  readonly names: readonly string[];
  /** How many days a new certificate is valid. 0 makes one that has already expired. */
  readonly days: number;
  /** True if clients must present a certificate from our CA. */
  readonly mutual: boolean;
}

/** @param variables the values of tlsVariables. */
export function tlsSettings(variables: {
  readonly CERTS: string;
  readonly CERT_NAMES: string;
  readonly CERT_DAYS: number;
  readonly MTLS: number;
}): TlsSettings {
  return {
    folder: variables.CERTS || certsFolder,
    names: variables.CERT_NAMES.split(","),
    days: variables.CERT_DAYS,
    mutual: variables.MTLS === 1,
  };
}

/** Returns the server's credentials. Prints which certificates it had to make. */
export async function tlsCredentials(settings: TlsSettings): Promise<ServerCredentials> {
  const { ca, server } = await readOrMake(settings);
  // TLS 1.2 and 1.3: Node.js disables older versions by default.
  return ServerCredentials.createSsl(
    settings.mutual ? Buffer.from(ca.certificate) : null, // the CA of clients' certificates
    [{ cert_chain: Buffer.from(server.certificate), private_key: Buffer.from(server.key) }],
    settings.mutual, // true: refuse a connection without such a certificate
  );
}

/** Returns what is wrong with a list of names, or undefined if it is valid. */
export function namesProblem(text: string): string | undefined {
  return /^[\w.:*-]+(,[\w.:*-]+)*$/.test(text)
    ? undefined
    : "must be names and addresses with commas between them";
}

/** @param locked true if no other server can be making certificates in this folder. */
async function readOrMake(
  settings: TlsSettings,
  locked = false,
): Promise<Record<"ca" | "server", Pair>> {
  const { folder, days } = settings;
  const names = [...new Set(settings.names)];
  const withoutCaKey = readWithoutCaKey(folder);
  if (withoutCaKey !== undefined) return withoutCaKey;
  const replace = existsSync(folder);
  const [oldCa, oldServer, oldClient] = ["ca", "server", "client"].map((name) =>
    readPair(folder, name),
  );
  const goodCa = isGood(oldCa, oldCa) ? oldCa : undefined;
  const goodServer = days > 0 && isGood(oldServer, goodCa, names) ? oldServer : undefined;
  const goodClient = isGood(oldClient, goodCa) ? oldClient : undefined;
  if (goodCa && goodServer && goodClient) return { ca: goodCa, server: goodServer };

  // Several servers may start at once. The first makes what is missing; the others read it.
  if (replace && !locked) return alone(folder, () => readOrMake(settings, true));

  const maker = await import("../security/certificates.ts"); // Large and rarely needed.
  const ca = goodCa ?? (await maker.makeCa(CA_DAYS));
  const server = goodServer ?? (await maker.makeServerCertificate(ca, names, days));
  const client = goodClient ?? (await maker.makeClientCertificate(ca, CLIENT_NAME, days));
  if (!(await savePairs(folder, { ca, server, client }, { replace }))) return readOrMake(settings);

  if (ca !== goodCa) sayMade("a CA", ca);
  if (server !== goodServer) sayMade(`a server certificate for ${names.join(", ")}`, server);
  if (client !== goodClient) sayMade(`a client certificate for ${CLIENT_NAME}`, client);
  console.log(`in ${relative(process.cwd(), folder)}`);
  return { ca, server };
}

function sayMade(what: string, { certificate }: Pair): void {
  const end = new Date(new X509Certificate(certificate).validTo);
  console.log(`made ${what}, valid until ${end.toISOString().replace(".000", "")}`);
}
