// Measures the figures, one function each. Each returns a table.

import { randomUUID } from "node:crypto";
import { formatColumns } from "../../shared/terminal/output.ts";
import { bakeryRetries } from "../bakery-retries.ts";
import { dial, get, left, order, restock, steadily } from "./calls.ts";
import type { QuietServer } from "./servers.ts";

/** Without throttling, and without the timeout: on a busy machine it could end a call too early. */
const unthrottled = {
  methodConfig: bakeryRetries.methodConfig.map(({ name, retryPolicy }) => ({ name, retryPolicy })),
};
const throttled = { ...unthrottled, retryThrottling: bakeryRetries.retryThrottling };
const [reads] = bakeryRetries.methodConfig;
/** Asks a second server if the first hasn't answered after 50 ms, and takes the earlier answer. */
const hedgingPolicy = { maxAttempts: 2, hedgingDelay: "0.05s", nonFatalStatusCodes: [] };
const hedged = { methodConfig: [{ name: reads?.name ?? [], hedgingPolicy }] };

/** About 200 calls a second. */
const load = { count: 400, everyMs: 5 };

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
      while (!(await order(connection, key)));
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

/** Makes 100 calls to three servers, one of which is slow, one after the other. */
export async function slow(): Promise<string> {
  const rows: string[][] = [];
  for (const [name, config] of [
    ["without hedging", {}],
    ["with hedging", hedged],
  ] as const) {
    const connection = dial("replicas:catalog", config);
    const all: number[] = [];
    for (let n = 0; n < 100; n++) all.push(await timed(() => get(connection)));
    const p99 = all.sort((a, b) => a - b)[98] ?? 0;
    rows.push([name, `p99 ${Math.round(p99 * 1000)} ms`]);
    connection.close();
  }
  return table("100 calls to three servers, one of which takes 200 ms", rows);
}

/** Calls three servers, and kills the first of them. */
export async function killed(servers: readonly QuietServer[]): Promise<string> {
  const connection = dial("replicas:catalog", bakeryRetries);
  for (const server of servers) {
    const before = await server.arrived("GetProduct"); // Until each has had a call.
    while ((await server.arrived("GetProduct")) === before) await get(connection);
  }
  const results = await steadily(load, (n) => {
    if (n === 200) servers[0]?.kill();
    return get(connection);
  });
  const failed = results.filter((answered) => !answered).length;
  connection.close();
  return table("400 calls to three servers, one of which is killed", [
    ["with retries", `${failed} lost`],
  ]);
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await act();
  return (performance.now() - startedAt) / 1000;
}

function table(title: string, rows: string[][]): string {
  return `${title}\n${formatColumns(rows.map((row) => ["", ...row]))}`;
}
