// A client that costs nearly nothing, so that it is the server that is measured. It writes frames of
// HTTP/2 that were encoded once, and of what comes back it counts the messages and skips the rest.

import { readFileSync } from "node:fs";
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Target } from "../jobs.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const FRAME_HEADER_BYTES = 9;
const PREFIX_BYTES = 5; // of a gRPC message: one for "compressed", four for its length
const [DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE] = [0, 1, 3, 4, 6, 7, 8];
const [END_STREAM, ACK, END_HEADERS] = [0x1, 0x1, 0x4];
const CANCEL = 8;
const MAX_WINDOW = 2 ** 31 - 1;
const FIRST_WINDOW = 65_535;
const STATIC_TABLE = 61; // entries of HPACK that every connection begins with

/** What comes in on a stream. */
export interface Listener {
  onMessage(): void;
  /** No more messages will come: the server has ended the call, or the connection has broken. */
  onEnd(broken?: Error): void;
}

interface Stream {
  readonly listener: Listener;
  /** Bytes of the present message that have not come yet. */
  missing: number;
  /** Those bytes of a message's prefix that have come. */
  prefix: number[];
}

/** One connection; all its calls go to one method. */
export class ThinClient {
  readonly #socket: Socket;
  readonly #streams = new Map<number, Stream>();
  readonly #headers: readonly (readonly [name: string, value: string])[];
  #headerBlock: Buffer;
  #nextStream = 1;
  #sendWindow = FIRST_WINDOW;
  #received = 0;
  #rest: Buffer = Buffer.alloc(0);
  #waiting: { bytes: Buffer; dataBytes: number }[] = [];
  #flushing = false;
  #broken: Error | undefined;

  constructor({ address, caFile, token }: Target, path: string) {
    this.#headers = [
      [":method", "POST"],
      [":scheme", caFile === undefined ? "http" : "https"],
      [":path", path],
      [":authority", address],
      ["te", "trailers"],
      ["content-type", "application/grpc"],
      ["grpc-timeout", "60S"], // A deadline, as every call should have one.
      ...(token === undefined ? [] : [["authorization", `Bearer ${token}`] as const]),
    ];
    this.#headerBlock = literals(this.#headers);
    const [host = "", port = ""] = address.split(":");
    const ca = caFile === undefined ? undefined : readFileSync(caFile);
    const to = { host, port: Number(port) };
    this.#socket =
      ca === undefined ? connectPlain(to) : connectTls({ ...to, ca, ALPNProtocols: ["h2"] });
    this.#socket.setNoDelay();
    this.#socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on("error", (error) => this.#break(error));
    this.#socket.on("close", () => this.#break(new Error("the server closed the connection")));
    // Windows as large as they get: we read as fast as the server writes.
    const hello = frame(SETTINGS, 0, 0, setting(0x4, MAX_WINDOW));
    this.#socket.write(Buffer.concat([PREFACE, hello, windowUpdate(MAX_WINDOW - FIRST_WINDOW)]));
  }

  /**
   * Begins a call.
   * @param messages encoded; each goes in a DATA frame of its own, as with other clients.
   * @param end no more messages will follow.
   * @returns the stream's number, for send and cancel.
   */
  open(messages: readonly Buffer[], end: boolean, listener: Listener): number {
    const id = this.#nextStream;
    this.#nextStream += 2;
    if (this.#broken !== undefined) listener.onEnd(this.#broken);
    this.#streams.set(id, { listener, missing: 0, prefix: [] });
    const head = frame(HEADERS, END_HEADERS, id, this.#headerBlock);
    // The server now has the headers in its table: from here on a byte each will do.
    if (id === 1) this.#headerBlock = references(this.#headers.length);
    this.#write(head, 0);
    this.send(id, messages, end);
    return id;
  }

  send(id: number, messages: readonly Buffer[], end: boolean): void {
    const frames = messages.map((message, at) => {
      const last = end && at === messages.length - 1;
      return frame(DATA, last ? END_STREAM : 0, id, message);
    });
    this.#write(
      Buffer.concat(frames),
      messages.reduce((sum, { length }) => sum + length, 0),
    );
  }

  cancel(id: number): void {
    if (!this.#streams.delete(id)) return;
    const reason = Buffer.alloc(4);
    reason.writeUInt32BE(CANCEL);
    this.#write(frame(RST_STREAM, 0, id, reason), 0);
  }

  /** How many calls are under way. */
  get underWay(): number {
    return this.#streams.size;
  }

  /** How many calls this connection has seen. */
  get opened(): number {
    return (this.#nextStream - 1) / 2;
  }

  close(): void {
    this.#streams.clear();
    this.#socket.destroy();
  }

  #break(error: Error): void {
    this.#broken ??= error;
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const { listener } of streams) listener.onEnd(this.#broken);
  }

  /** Everything of one turn of the event loop goes out in one piece, as far as the server has room. */
  #write(bytes: Buffer, dataBytes: number): void {
    this.#waiting.push({ bytes, dataBytes });
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    let ready = 0;
    for (const { dataBytes } of this.#waiting) {
      if (dataBytes > this.#sendWindow) break;
      this.#sendWindow -= dataBytes;
      ready++;
    }
    if (ready === 0 || this.#socket.destroyed) return;
    this.#socket.write(Buffer.concat(this.#waiting.slice(0, ready).map(({ bytes }) => bytes)));
    this.#waiting = this.#waiting.slice(ready);
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      const [type, flags] = [bytes.readUInt8(at + 3), bytes.readUInt8(at + 4)];
      const id = bytes.readUInt32BE(at + 5);
      this.#take(type, flags, id, bytes.subarray(at + FRAME_HEADER_BYTES, end));
      at = end;
    }
    this.#rest = bytes.subarray(at);
    if (this.#received > MAX_WINDOW / 4) {
      this.#write(windowUpdate(this.#received), 0);
      this.#received = 0;
    }
  }

  #take(type: number, flags: number, id: number, payload: Buffer): void {
    const stream = this.#streams.get(id);
    if (type === DATA) {
      this.#received += payload.length;
      if (stream !== undefined) readMessages(stream, payload);
    } else if (type === SETTINGS && (flags & ACK) === 0) {
      this.#write(frame(SETTINGS, ACK, 0, Buffer.alloc(0)), 0);
    } else if (type === PING && (flags & ACK) === 0) {
      this.#write(frame(PING, ACK, 0, payload), 0);
    } else if (type === WINDOW_UPDATE && id === 0) {
      this.#sendWindow += payload.readUInt32BE(0);
      this.#flush();
    } else if (type === GOAWAY) {
      this.#break(new Error("the server sends us away"));
    }
    const ended =
      type === RST_STREAM || ((type === DATA || type === HEADERS) && flags & END_STREAM);
    if (ended && this.#streams.delete(id)) stream?.listener.onEnd();
  }
}

/** A gRPC message with its prefix, to send. */
export function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.alloc(PREFIX_BYTES + message.length);
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}

/** Finds where messages end; they need not end where frames do. */
function readMessages(stream: Stream, payload: Buffer): void {
  let at = 0;
  while (at < payload.length) {
    if (stream.missing === 0) {
      stream.prefix.push(payload.readUInt8(at++));
      if (stream.prefix.length < PREFIX_BYTES) continue;
      stream.missing = Buffer.from(stream.prefix).readUInt32BE(1);
      stream.prefix = [];
    } else {
      const taken = Math.min(stream.missing, payload.length - at);
      stream.missing -= taken;
      at += taken;
    }
    if (stream.missing === 0) stream.listener.onMessage();
  }
}

function frame(type: number, flags: number, id: number, payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(id, 5);
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

function setting(name: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(name, 0);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

function windowUpdate(by: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(by);
  return frame(WINDOW_UPDATE, 0, 0, bytes);
}

/** HPACK: each header in full, to be remembered by the server. */
function literals(headers: readonly (readonly [name: string, value: string])[]): Buffer {
  const text = (value: string) => [hpackLength(value.length), Buffer.from(value)];
  const one = Buffer.from([0x40]);
  return Buffer.concat(headers.flatMap(([name, value]) => [one, ...text(name), ...text(value)]));
}

/** HPACK: the same headers as places in the server's table, where the newest comes first. */
function references(count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, (_, at) => 0x80 | (STATIC_TABLE + count - at)));
}

/** A length in seven bits, with more bytes where that is too little; without Huffman coding. */
function hpackLength(length: number): Buffer {
  if (length < 127) return Buffer.from([length]);
  const bytes = [127];
  let rest = length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}
