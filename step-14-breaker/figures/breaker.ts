// Measures what the circuit breaker and outlier detection do. Each function returns a table.

import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { InterceptingCall, type Interceptor } from "@grpc/grpc-js";
import { formatColumns } from "../../shared/terminal/output.ts";
import { bakeryRetries } from "../bakery-retries.ts";
import { CircuitBreaker } from "../client/circuit-breaker.ts";
import { breakerInterceptor } from "../client/interceptors/breaker.ts";
import { refusedCall } from "../client/refused-call.ts";
import { atRate, dialWith, get, order } from "./calls.ts";
import type { QuietServer } from "./servers.ts";

const SECONDS = 12;
/** Without throttling, which would end the retries, and the timeout. */
const retries = {
  methodConfig: bakeryRetries.methodConfig.map(({ name, retryPolicy }) => ({ name, retryPolicy })),
};

/** An orders' server, and a catalog of its own that hangs. */
export interface HangingShop {
  readonly name: string;
  readonly catalog: QuietServer;
  readonly orders: QuietServer;
}

/** Lets four customers order again and again. They don't say so when they get an error. */
export async function hanging(shops: readonly HangingShop[], token: string): Promise<string> {
  const rows = shops.map(async ({ name, catalog, orders }) => {
    const connection = dialWith(orders.address, {}, token);
    const until = performance.now() + SECONDS * 1000;
    const took: number[] = [];
    const customer = async () => {
      while (performance.now() < until) {
        const startedAt = performance.now();
        await order(connection, randomUUID());
        took.push(performance.now() - startedAt);
        await setTimeout(200);
      }
    };
    await Promise.all([customer(), customer(), customer(), customer()]);
    connection.close();
    const reached = await catalog.arrived("ReserveProducts");
    return [name, `${took.length} answered`, `${reached} reached the catalog`, p50(took)];
  });
  return table(`Four customers order for ${SECONDS} s, and the catalog hangs`, rows);
}

/** Makes 30 calls a second to three servers, one of which refuses all. Shows failures per second. */
export async function ejecting(): Promise<string> {
  const rows = (
    [
      ["neither", false, {}],
      ["retries", false, retries],
      ["ejection", true, {}],
      ["both", true, retries],
    ] as const
  ).map(async ([name, ejects, serviceConfig]) => {
    const connection = dialWith("replicas:catalog", { ejects, serviceConfig });
    const failed = Array.from({ length: SECONDS }, () => 0);
    await atRate({ count: SECONDS * 30, rate: 30 }, async (n) => {
      const second = Math.floor(n / 30);
      if (!(await get(connection))) failed[second] = (failed[second] ?? 0) + 1;
    });
    connection.close();
    return [name, ...failed.map((count) => `${count}`.padStart(2))];
  });
  return table("30 calls a second to three servers, one refuses all: failures per second", rows);
}

/** Refuses calls, before `nextCall` and after it, and counts the memory that stays in use. */
export async function refusing(): Promise<string> {
  const target = "127.0.0.1:1";
  const breaker = new CircuitBreaker(3_600_000, () => {});
  for (let n = 0; n < 5; n++) breaker.admit()?.("failure");
  const before = breakerInterceptor(breaker, { target, patienceMs: 0 });
  const after: Interceptor = (options, nextCall) => {
    nextCall(options);
    return new InterceptingCall(refusedCall("too late"));
  };
  const rows: Promise<string[]>[] = [];
  for (const [name, interceptor] of [
    ["before nextCall", before],
    ["after nextCall", after],
  ] as const) {
    const connection = dialWith(target, { inner: [interceptor], deadlineMs: 60_000 });
    for (let n = 0; n < 1000; n++) await get(connection);
    const [used, startedAt] = [memory(), performance.now()];
    for (let n = 0; n < 100_000; n++) await get(connection);
    const ms = (performance.now() - startedAt) / 100_000;
    const grown = (memory() - used) / 1_000_000;
    rows.push(Promise.resolve([name, `${ms.toFixed(3)} ms each`, `${grown.toFixed(1)} MB more`]));
    connection.close();
  }
  return table("100,000 calls refused", rows);
}

/** Returns how many bytes of memory are in use once what isn't has been collected. */
function memory(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

function p50(took: number[]): string {
  return `p50 ${Math.round(took.sort((a, b) => a - b)[took.length >> 1] ?? 0)} ms`;
}

async function table(title: string, rows: readonly Promise<string[]>[]): Promise<string> {
  const all = await Promise.all(rows);
  return `${title}\n${formatColumns(all.map((row) => ["", ...row]))}`;
}
