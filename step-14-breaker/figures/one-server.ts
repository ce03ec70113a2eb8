// Measures what retries do to one server.

import { randomUUID } from "node:crypto";
import { bakeryRetries } from "../bakery-retries.ts";
import { dial, get, left, load, order, restock, steadily } from "./calls.ts";
import type { QuietServer } from "./servers.ts";
import { table, timed } from "./table.ts";

/** Without throttling, and without the timeout: on a busy machine it could end a call too early. */
const unthrottled = {
  methodConfig: bakeryRetries.methodConfig.map(({ name, retryPolicy }) => ({ name, retryPolicy })),
};
const throttled = { ...unthrottled, retryThrottling: bakeryRetries.retryThrottling };

/** Makes 300 calls to a server that refuses 30 of 100, one after the other. */
export async function refused(server: QuietServer): Promise<string> {
  const rows: string[][] = [];
  for (const [name, config] of [
    ["without retries", {}],
    ["with retries", unthrottled],
    ["with retries, throttled", throttled],
  ] as const) {
    const connection = dial(server.address, config);
    const before = await server.arrived("GetProduct");
    let answered = 0;
    for (let n = 0; n < 300; n++) answered += Number(await get(connection));
    const attempts = (await server.arrived("GetProduct")) - before;
    rows.push([name, `${answered} answered`, `${attempts} attempts`]);
    connection.close();
  }
  return table("300 calls, 30 % of the attempts refused", rows);
}

/** Places 30 orders at a server that loses every second answer, and counts what they took. */
export async function lost(orders: QuietServer, leader: QuietServer, token: string) {
  const rows: string[][] = [];
  const shelf = dial(leader.address, {}, token);
  await restock(shelf, 1000);
  const connection = dial(orders.address, bakeryRetries, token);
  for (const [name, newKey] of [
    ["with a key, repeated by grpc-js", randomUUID],
    ["without, repeated by the customer", () => ""],
  ] as const) {
    const before = await left(shelf);
    for (let n = 0; n < 30; n++) {
      const key = newKey();
      for (let tries = 0; tries < 10 && !(await order(connection, key)); tries++);
    }
    rows.push([name, `${before - (await left(shelf))} loaves taken`]);
  }
  connection.close();
  shelf.close();
  return table("30 orders of a loaf, half of the answers lost", rows);
}

/** Makes calls to a server that refuses all. */
export async function storm(server: QuietServer): Promise<string> {
  const rows: string[][] = [];
  for (const [name, config] of [
    ["retries", unthrottled],
    ["retries, throttled", throttled],
  ] as const) {
    const connection = dial(server.address, config);
    const before = await server.arrived("GetProduct");
    const seconds = await timed(() => steadily(load, () => get(connection)));
    const attempts = (await server.arrived("GetProduct")) - before;
    rows.push([name, `${attempts} attempts`, `${Math.round(attempts / seconds)} a second`]);
    connection.close();
  }
  return table("400 calls, about 200 a second, all refused", rows);
}
