// What the attacks of abuse.ts are made of: connections that keep to HTTP/2, or not, and a server's vitals.

import { spawnSync } from "node:child_process";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from "node:http2";
import { setTimeout as wait } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import type { RunningServer } from "../../testing/servers.ts";

const PATIENCE_MS = 20_000;

/** A server under attack, and what an attacker may have got hold of. */
export interface Target {
  readonly server: RunningServer;
  readonly ca: Buffer;
  readonly caFile: string;
  /** A baker's. */
  readonly token: string;
}

/** Connects, and hears of no error: whoever misbehaves is cut off. `using` ends it with the block. */
export function dial(
  { server, ca }: Target,
  options: SecureClientSessionOptions = {},
): ClientHttp2Session & Disposable {
  const session = connect(`https://${server.address}`, { ca, maxSessionMemory: 200, ...options });
  session.on("error", () => {});
  return Object.assign(session, { [Symbol.dispose]: () => session.destroy() });
}

/** Begins a call. Its errors show in its outcome. */
export function begin(
  session: ClientHttp2Session,
  path: string,
  headers: OutgoingHttpHeaders = {},
): ClientHttp2Stream {
  const request = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  request.on("error", () => {});
  return request.resume();
}

/** Returns the name of the status that a call ends with; what else became of it if there is none. */
export async function outcome(request: ClientHttp2Stream): Promise<string> {
  let code: string | undefined;
  const look = (headers: IncomingHttpHeaders) => {
    code ??= headers["grpc-status"]?.toString();
  };
  request.on("response", look).on("trailers", look);
  const closed = new Promise((resolve) => request.once("close", resolve));
  await Promise.race([closed, wait(PATIENCE_MS, undefined, { ref: false })]);
  if (code !== undefined) return status[Number(code)] ?? `status ${code}`;
  return request.closed ? "cut off" : "no answer";
}

/** Sends one message, and returns how the call ends. */
export function ask(
  session: ClientHttp2Session,
  path: string,
  message: Uint8Array,
  headers: OutgoingHttpHeaders = {},
): Promise<string> {
  const request = begin(session, path, headers);
  request.end(framed(message, "grpc-encoding" in headers));
  return outcome(request);
}

/** Returns a message as it travels: a flag, its length, and its bytes. */
export function framed(message: Uint8Array, packed = false): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(packed ? 1 : 0);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Returns a message with one field of text or bytes, at most 15 fields in. */
export function field(number: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(value.length)]), value]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)];
}

/** Returns the words with how often each comes, such as `3 OK, 1 cut off`, most frequent first. */
export function tally(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([word, count]) => `${count} ${word}`)
    .join(", ");
}

/** Returns a server's memory in MiB; NaN where there is no ps. */
export function memoryMiB({ program }: RunningServer): number {
  const ps = spawnSync("ps", ["-o", "rss=", "-p", String(program.pid)], { encoding: "utf8" });
  return Math.round(Number.parseInt(ps.stdout ?? "", 10) / 1024);
}
