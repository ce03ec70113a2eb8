// Client: sets which CA a channel trusts, what certificate it presents, and its calls' token.

import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { type ChannelCredentials, type ChannelOptions, credentials, Metadata } from "@grpc/grpc-js";
import { UsageError } from "../../shared/terminal/program.ts";
import { hostOf } from "./target.ts";

/** Files are PEM. An empty string means none. */
export interface ChannelSettings {
  /** The certificate of the only CA that is trusted. */
  readonly ca: string;
  /** The client's own certificate and its private key. */
  readonly cert: string;
  readonly key: string;
  readonly plaintext: boolean;
  readonly token: string;
}

/** What a channel needs besides its address. */
export interface ChannelSecurity {
  readonly credentials: ChannelCredentials;
  readonly channelOptions: ChannelOptions;
}

/**
 * Returns what a channel to `address` needs: HOST:PORT, or another target.
 * @throws {UsageError} if a file can't be read, or if settings contradict each other.
 */
export function channelSecurity(settings: ChannelSettings, address: string): ChannelSecurity {
  const { ca, cert, key, plaintext, token } = settings;
  if (plaintext && token !== "") {
    throw new UsageError(
      "a token is never sent over plaintext, where an eavesdropper can read it: " +
        "leave out --plaintext, or the token",
    );
  }
  if (plaintext && (cert !== "" || key !== "")) {
    throw new UsageError("--cert and --key need TLS: leave out --plaintext");
  }
  if (plaintext) return { credentials: credentials.createInsecure(), channelOptions: {} };
  if ((cert === "") !== (key === "")) throw new UsageError("--cert and --key go together");
  const { host, channelOptions } = serverName(address);
  const channel = tls(host, [
    readPem("--ca", ca, "CERTIFICATE"),
    key === "" ? null : readPem("--key", key, "PRIVATE KEY"),
    cert === "" ? null : readPem("--cert", cert, "CERTIFICATE"),
  ]);
  if (token === "") return { credentials: channel, channelOptions };
  // A call credential: grpc-js adds it to the metadata of each call on this channel.
  const bearer = credentials.createFromMetadataGenerator((_call, done) => {
    const metadata = new Metadata();
    metadata.set("authorization", `Bearer ${token}`);
    done(null, metadata);
  });
  const combined = credentials.combineChannelCredentials(channel, bearer);
  return { credentials: combined, channelOptions };
}

/**
 * A TLS client sends the name that it dials, so that a server with several certificates can choose
 * one (SNI, RFC 6066). An IP address isn't allowed there. grpc-js sends it anyway, and Node.js 25
 * and newer then refuse to connect. So for an address, this sends a placeholder name that can't
 * exist.
 */
function serverName(address: string): { host: string; channelOptions: ChannelOptions } {
  const host = hostOf(address);
  if (isIP(host) === 0) return { host, channelOptions: {} };
  return { host, channelOptions: { "grpc.ssl_target_name_override": "ip-address.invalid" } };
}

/** @param files the CA, the client's key and the client's certificate, as createSsl takes them. */
function tls(
  host: string,
  files: [ca: Buffer, key: Buffer | null, cert: Buffer | null],
): ChannelCredentials {
  try {
    return credentials.createSsl(...files, {
      // The certificate must be for the host that was dialled, not for the name that was sent.
      checkServerIdentity: (_sent: string, certificate: PeerCertificate) =>
        checkServerIdentity(host, certificate),
    });
  } catch (error) {
    // For example "key values mismatch": the key belongs to another certificate.
    throw new UsageError(`--cert, --key: ${error instanceof Error ? error.message : error}`);
  }
}

function readPem(option: string, file: string, content: string): Buffer {
  try {
    const pem = readFileSync(file);
    if (pem.includes(`${content}-----`)) return pem;
  } catch {
    throw new UsageError(
      `${option}: cannot read ${file}: a server makes missing certificates when it starts`,
    );
  }
  throw new UsageError(`${option}: ${file} is not a PEM file with a ${content}`);
}

/** Returns what is wrong with a token, without showing it, or undefined if it is valid. */
export function tokenProblem(token: string): string | undefined {
  return /^[\w.~+/=-]*$/.test(token) ? undefined : "is not a token: copy all of it, and only it";
}
