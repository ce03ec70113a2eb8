// Client: whom a channel trusts, what it shows of itself, and the token that goes with each call.

import { readFileSync } from "node:fs";
import { type ChannelCredentials, credentials, Metadata } from "@grpc/grpc-js";
import { UsageError } from "../../shared/terminal/program.ts";

/** Files are PEM. An empty text stands for "none". */
export interface ChannelSettings {
  /** The certificate of the only CA that is trusted. */
  readonly ca: string;
  /** The client's own certificate and its private key. */
  readonly cert: string;
  readonly key: string;
  readonly plaintext: boolean;
  readonly token: string;
}

/** @throws {UsageError} if a file cannot be read, or settings do not go together. */
export function channelCredentials(settings: ChannelSettings): ChannelCredentials {
  const { ca, cert, key, plaintext, token } = settings;
  if (plaintext && token !== "") {
    throw new UsageError(
      "a token does not go over plaintext, where everybody on the way can read it: " +
        "leave out --plaintext, or the token (--token, BAKERY_TOKEN)",
    );
  }
  if (plaintext && (cert !== "" || key !== "")) {
    throw new UsageError("--cert and --key need TLS: leave out --plaintext");
  }
  if (plaintext) return credentials.createInsecure();
  if ((cert === "") !== (key === "")) throw new UsageError("--cert and --key go together");
  const channel = tls(
    readPem("--ca", ca, "CERTIFICATE"),
    key === "" ? null : readPem("--key", key, "PRIVATE KEY"),
    cert === "" ? null : readPem("--cert", cert, "CERTIFICATE"),
  );
  if (token === "") return channel;
  // A call credential: grpc-js adds it to the metadata of each call on this channel.
  const bearer = credentials.createFromMetadataGenerator((_call, done) => {
    const metadata = new Metadata();
    metadata.set("authorization", `Bearer ${token}`);
    done(null, metadata);
  });
  return credentials.combineChannelCredentials(channel, bearer);
}

function tls(ca: Buffer, key: Buffer | null, cert: Buffer | null): ChannelCredentials {
  // Where we dial an IP address, grpc-js sends it as the server's name. Node.js warns that this is
  // deprecated; the certificate is checked all the same.
  process.noDeprecation = true;
  try {
    return credentials.createSsl(ca, key, cert); // in this order
  } catch (error) {
    // Such as "key values mismatch": it belongs to another certificate.
    throw new UsageError(`--cert, --key: ${error instanceof Error ? error.message : error}`);
  }
}

function readPem(option: string, file: string, content: string): Buffer {
  try {
    const pem = readFileSync(file);
    if (pem.includes(`${content}-----`)) return pem;
  } catch {
    throw new UsageError(
      `${option}: cannot read ${file}: when a server starts, it makes what is missing in its certs`,
    );
  }
  throw new UsageError(`${option}: ${file} is not a PEM file with a ${content}`);
}

/** What is wrong with a token as a person typed it, without showing it; undefined if nothing is. */
export function tokenProblem(token: string): string | undefined {
  return /^[\w.~+/=-]*$/.test(token) ? undefined : "is not a token: copy all of it, and only it";
}
