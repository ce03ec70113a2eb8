// Measures hedging and retries with three servers behind a name.

import { bakeryRetries } from "../bakery-retries.ts";
import { dial, get, load, steadily } from "./calls.ts";
import type { QuietServer } from "./servers.ts";
import { table, timed } from "./table.ts";

const [reads] = bakeryRetries.methodConfig;
/** Asks a second server if the first hasn't answered after 50 ms, and takes the earlier answer. */
const hedgingPolicy = { maxAttempts: 2, hedgingDelay: "0.05s", nonFatalStatusCodes: [] };
const hedged = { methodConfig: [{ name: reads?.name ?? [], hedgingPolicy }] };

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
  for (let n = 0; n < 100; n++) await get(connection); // By then, it has connected to all three.
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
