// Forwards calls from a client to a server, and prints what they send each other. Start it with
// `npx tsx shared/wire/wire.ts`, then dial its port instead of the server's.

import {
  type ClientHttp2Stream,
  connect,
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createTcpServer } from "node:net";
import type { Readable } from "node:stream";
import { runProgram, UsageError } from "../terminal/program.ts";
import { readSettings } from "../terminal/settings.ts";
import { passOnTls } from "./tls.ts";

const PREFIX_BYTES = 5;
const TLS_HANDSHAKE = 22;
let streams = 0;

await runProgram(async () => {
  const settings = readSettings({
    WIRE_PORT: { default: 50060, max: 65535, help: "the port to listen on" },
    BAKERY_ADDRESS: { default: "127.0.0.1:50051", help: "the server to forward calls to" },
  });
  // Each client gets a connection of its own to the server, as it would without wire.ts. TLS starts
  // with a handshake, and no HTTP/2 connection starts with its first byte.
  const plaintext = createServer();
  const server = createTcpServer((socket) => {
    socket.once("error", () => {}); // Closed before it sent anything.
    socket.once("readable", () => {
      const first: Buffer | null = socket.read(1);
      if (first === null) return;
      socket.unshift(first);
      if (first[0] === TLS_HANDSHAKE) passOnTls(socket, settings.BAKERY_ADDRESS);
      else plaintext.emit("connection", socket);
    });
  });
  plaintext.on("session", (session) => {
    const upstream = connect(`http://${settings.BAKERY_ADDRESS}`);
    upstream.on("error", (error) => {
      console.log(`   cannot reach ${settings.BAKERY_ADDRESS}: ${error.message}`);
      session.destroy();
    });
    session.on("error", () => {}); // A client that vanishes shows as a stream that closes.
    session.on("close", () => upstream.close());
    session.on("stream", (stream, headers) => {
      passOn(stream, headers, upstream.request(headers), ++streams);
    });
  });
  await new Promise((resolve, reject) => {
    server.once("error", () =>
      reject(
        new UsageError(`port ${settings.WIRE_PORT} is in use; choose another with WIRE_PORT=50062`),
      ),
    );
    server.listen(settings.WIRE_PORT, "127.0.0.1", () => resolve(undefined));
  });
  console.log(
    `listening on 127.0.0.1:${settings.WIRE_PORT}, forwarding to ${settings.BAKERY_ADDRESS}`,
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(0));
  return 0;
});

/** Forwards one call, and prints its parts. */
function passOn(
  client: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  server: ClientHttp2Stream,
  number: number,
): void {
  const say = (arrow: string, text: string) => console.log(`${number} ${arrow} ${text}`);
  sayHeaders(headers, (text) => say("->", text));
  tap(client, (text) => say("->", text));
  client.once("end", () => say("->", "END_STREAM: nothing more to send (half-close)"));
  client.pipe(server);

  let trailers: IncomingHttpHeaders = {};
  server.on("response", (response, flags) => {
    const only = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    sayHeaders(response, (text) => say("<-", text));
    if (only) say("<-", "END_STREAM");
    client.respond(response, only ? { endStream: true } : { waitForTrailers: true });
    if (only) return;
    tap(server, (text) => say("<-", text));
    server.pipe(client);
  });
  server.on("trailers", (received) => {
    trailers = received;
  });
  client.on("wantTrailers", () => {
    sayHeaders(trailers, (text) => say("<-", `trailer ${text}`));
    say("<-", "END_STREAM");
    client.sendTrailers(trailers);
  });

  client.on("close", () => {
    if (client.rstCode === constants.NGHTTP2_NO_ERROR) return;
    say("->", `RST_STREAM, error code ${client.rstCode}: the client gives up on the call`);
    server.close(client.rstCode);
  });
  server.on("close", () => {
    if (server.rstCode !== constants.NGHTTP2_NO_ERROR) client.close(server.rstCode);
  });
  for (const stream of [client, server]) stream.on("error", () => {}); // Shown as RST_STREAM.
}

function sayHeaders(headers: IncomingHttpHeaders, say: (text: string) => void): void {
  for (const [name, value] of Object.entries(headers)) say(`${name}: ${value}`);
}

/** Prints a stream's messages. Each has a flag byte and four bytes of length before its content. */
function tap(stream: Readable, say: (text: string) => void): void {
  let waiting = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= PREFIX_BYTES) {
      const end = PREFIX_BYTES + waiting.readUInt32BE(1);
      if (waiting.length < end) return;
      say(
        `message ${hex(waiting.subarray(0, PREFIX_BYTES))} | ${hex(waiting.subarray(PREFIX_BYTES, end))}`,
      );
      waiting = waiting.subarray(end);
    }
  });
}

function hex(bytes: Buffer): string {
  return bytes.toString("hex").replace(/..(?=.)/g, "$& ");
}
