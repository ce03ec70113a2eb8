// Counts the bytes of one call, with a relay between the client and the server that looks at none.

import { connect as connectSocket, createServer, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { BytesResult, Target, WireBytes } from "../jobs.ts";
import { getProduct, listProducts } from "./calls.ts";
import { type Clients, connect } from "./clients.ts";

/** Enough for what comes only now and then, such as a window update, to count with its share. */
const CALLS = 20;
const QUIET_MS = 40;

/** Bytes of TCP payload for a call, headers and frames and TLS included, on a connection in use. */
export async function countBytes(target: Target): Promise<BytesResult> {
  const [host = "", port = ""] = target.address.split(":");
  const total = { up: 0, down: 0 };
  const sockets = new Set<Socket>();
  const relay = createServer((client) => {
    const server = connectSocket(Number(port), host);
    for (const socket of [client, server]) {
      sockets.add(socket.setNoDelay());
      socket.on("error", () => {});
    }
    client.on("data", (chunk) => {
      total.up += chunk.length;
    });
    server.on("data", (chunk) => {
      total.down += chunk.length;
    });
    client.pipe(server).pipe(client);
  });
  const address = await new Promise<string>((resolve) => {
    relay.listen(0, host, () => {
      const at = relay.address();
      resolve(`${host}:${at !== null && typeof at === "object" ? at.port : 0}`);
    });
  });

  const clients = connect({ ...target, address });
  const average = async (call: (clients: Clients) => Promise<unknown>): Promise<WireBytes> => {
    await call(clients);
    await wait(QUIET_MS);
    const before = { ...total };
    for (let made = 0; made < CALLS; made++) await call(clients);
    await wait(QUIET_MS);
    const up = Math.round((total.up - before.up) / CALLS);
    return { up, down: Math.round((total.down - before.down) / CALLS) };
  };
  try {
    return { product: await average(getProduct), list: await average(listProducts) };
  } finally {
    clients.close();
    for (const socket of sockets) socket.destroy();
    relay.close();
  }
}
