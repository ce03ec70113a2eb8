// Server: TLS, with certificates that it makes on its first start and renews when they expire.

import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { relative } from "node:path";
import { ServerCredentials } from "@grpc/grpc-js";
import { isGood, readForeign, readPair, savePairs } from "../security/certificate-store.ts";
import type { Pair } from "../security/certificates.ts";

const CA_DAYS = 365;
const CLIENT_NAME = "van";

/**
 * Prints which certificates it had to make. Where the CA's key is missing it makes none:
 * then somebody else looks after them.
 * @param names what clients may dial: host names and IP addresses.
 * @param days how long a new certificate is valid.
 * @param mutual true: clients, too, must show a certificate of our CA.
 */
export async function tlsCredentials(
  folder: string,
  names: readonly string[],
  days: number,
  mutual: boolean,
): Promise<ServerCredentials> {
  const { ca, server } = await readOrMake(folder, names, days);
  // TLS 1.2 and 1.3: Node.js speaks nothing older unless told to.
  return ServerCredentials.createSsl(
    mutual ? Buffer.from(ca.certificate) : null, // who signs the certificates of clients
    [{ cert_chain: Buffer.from(server.certificate), private_key: Buffer.from(server.key) }],
    mutual, // true: no connection without such a certificate
  );
}

/** What is wrong with names as a person typed them; undefined if nothing is. */
export function namesProblem(text: string): string | undefined {
  return /^[\w.:*-]+(,[\w.:*-]+)*$/.test(text)
    ? undefined
    : "must be names and addresses with commas between them";
}

async function readOrMake(
  folder: string,
  names: readonly string[],
  days: number,
): Promise<Record<"ca" | "server", Pair>> {
  const foreign = readForeign(folder);
  if (foreign !== undefined) return foreign;
  const isNew = !existsSync(folder);
  const [oldCa, oldServer, oldClient] = ["ca", "server", "client"].map((name) =>
    readPair(folder, name),
  );
  const goodCa = isGood(oldCa, oldCa) ? oldCa : undefined;
  const goodServer = isGood(oldServer, goodCa, names) ? oldServer : undefined;
  const goodClient = isGood(oldClient, goodCa) ? oldClient : undefined;
  if (goodCa && goodServer && goodClient) return { ca: goodCa, server: goodServer };

  const maker = await import("../security/certificates.ts"); // Large, and seldom needed.
  const ca = goodCa ?? (await maker.makeCa(CA_DAYS));
  const server = goodServer ?? (await maker.makeServerCertificate(ca, names, days));
  const client = goodClient ?? (await maker.makeClientCertificate(ca, CLIENT_NAME, days));
  if (!savePairs(folder, { ca, server, client }, isNew)) return readOrMake(folder, names, days);

  if (ca !== goodCa) sayMade("a CA", ca);
  if (server !== goodServer) sayMade(`a server certificate for ${names.join(", ")}`, server);
  if (client !== goodClient) sayMade(`a client certificate for ${CLIENT_NAME}`, client);
  console.log(`in ${relative(process.cwd(), folder)}`);
  return { ca, server };
}

function sayMade(what: string, { certificate }: Pair): void {
  const end = new Date(new X509Certificate(certificate).validTo);
  console.log(`made ${what}, valid until ${end.toISOString().slice(0, 10)}`);
}
