// What attacks are made of: connections and calls that don't have to keep to gRPC.

import { readFileSync } from "node:fs";
import * as http2 from "node:http2";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { status } from "@grpc/grpc-js";
import type { RunningServer } from "../../testing/servers.ts";

/** A server under attack, and what an attacker may have. */
export interface Target extends RunningServer {
  readonly caFile: string;
  /** A baker's. */
  readonly token: string;
}

export type Session = http2.ClientHttp2Session;
export type Call = http2.ClientHttp2Stream;
type Headers = http2.OutgoingHttpHeaders;

/** What an attack has opened. It stays open until the server's memory has been measured. */
export const opened: { destroy(): unknown }[] = [];

/** Connects. Errors of the connection are ignored: they show in the outcomes of its calls. */
export function dial(address: string, caFile: string, settings: http2.Settings = {}): Session {
  const ca = readFileSync(caFile);
  const options = { ca, settings, maxSessionMemory: 1000 }; // in MB, for what can't be sent yet
  const session = http2.connect(`https://${address}`, options);
  opened.push(session);
  return session.on("error", () => {});
}

/** Begins a call. If nothing happens for 20 s, it is cut off. */
export function begin(session: Session, path: string, headers: Headers = {}): Call {
  const grpc = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };
  const call = session.request({ ...grpc, ":path": path, ...headers });
  call.setTimeout(20_000, () => call.destroy());
  return call.on("error", () => {}).resume();
}

/** Sends `last`, if any, and ends the sending. Returns the name of the call's status, or `cut off`. */
export function outcome(call: Call, last?: Uint8Array): Promise<string> {
  if (last !== undefined) call.end(last);
  return new Promise((resolve) => {
    const look = ({ "grpc-status": code }: http2.IncomingHttpHeaders) => {
      if (code !== undefined) resolve(status[Number(code)] ?? `status ${code}`);
    };
    call
      .on("response", look)
      .on("trailers", look)
      .once("close", () => resolve("cut off"));
  });
}

/** Waits for 50 pings, so that the server has had time for what was sent before. */
export async function rounds(session: Session): Promise<void> {
  for (let round = 0; round < 50; round++) await new Promise((done) => session.ping(done));
}

/** Returns a message as it travels: a flag, its length, and its bytes. */
export function framed(message: Uint8Array, compressed = false): Buffer {
  const prefix = Buffer.from([compressed ? 1 : 0, 0, 0, 0, 0]);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Returns a message with one field of text or bytes. */
export function field(number: number, value: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(number, 2).bytes(value).finish();
}
