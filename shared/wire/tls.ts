// Prints what can be seen of a connection with TLS: the records, but not their content.

import { connect, type Socket } from "node:net";

/** RFC 8446, 5.1: a record's type, two bytes of version, two bytes of length, then its content. */
const HEADER_BYTES = 5;
const recordTypes: Readonly<Record<number, string>> = {
  20: "change cipher spec",
  21: "alert",
  22: "handshake",
  23: "application data",
};

let connections = 0;

/** Forwards a connection to `address`, HOST:PORT, and prints a line for each TLS record. */
export function passOnTls(client: Socket, address: string): void {
  const number = ++connections;
  const { hostname, port } = new URL(`tcp://${address}`);
  const server = connect(Number(port), hostname.replace(/^\[|\]$/g, ""));
  const say = (text: string) => console.log(`${number} ${text}`);
  tapRecords(client, (text) => say(`-> ${text}`));
  tapRecords(server, (text) => say(`<- ${text}`));
  client.pipe(server).pipe(client);
  server.on("error", (error) => {
    say(`   cannot reach ${address}: ${error.message}`);
    client.destroy();
  });
  client.on("error", () => server.destroy());
}

function tapRecords(socket: Socket, say: (text: string) => void): void {
  let waiting = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + waiting.readUInt16BE(3);
      if (waiting.length < end) return;
      const type = waiting.readUInt8(0);
      say(`TLS ${recordTypes[type] ?? `type ${type}`}, ${end - HEADER_BYTES} bytes`);
      waiting = waiting.subarray(end);
    }
  });
}
