// Measures what the circuit breaker and outlier detection do. Each function returns a table.

import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { InterceptingCall, type Interceptor } from "@grpc/grpc-js";
import { bakeryRetries } from "../bakery-retries.ts";
import { CircuitBreaker } from "../client/circuit-breaker.ts";
import { breakerInterceptor } from "../client/interceptors/breaker.ts";
import { refusedCall } from "../client/refused-call.ts";
import { dialWith, get, order } from "./calls.ts";
import type { QuietServer } from "./servers.ts";
import { table } from "./table.ts";

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

/** Lets four customers order again and again, whatever they are told. */
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
    const p50 = took.sort((a, b) => a - b)[took.length >> 1] ?? 0;
    return [name, `${took.length} failed`, `${reached} reached it`, `p50 ${Math.round(p50)} ms`];
  });
  const title = `four customers order for ${SECONDS} s, and the catalog hangs`;
  return table(title, await Promise.all(rows));
}

/** Makes about 30 calls a second to three servers, one of which refuses all. */
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
    const startedAt = performance.now();
    const seconds = () => Math.floor((performance.now() - startedAt) / 1000);
    const calls: Promise<void>[] = [];
    for (let second = 0; second < SECONDS; second = seconds()) {
      const count = (answered: boolean) => {
        if (!answered) failed[second] = (failed[second] ?? 0) + 1;
      };
      calls.push(get(connection).then(count));
      await setTimeout(33);
    }
    await Promise.all(calls);
    connection.close();
    return [name, ...failed.map((count) => `${count}`.padStart(2))];
  });
  const title = "failures in each second, while one of three servers refuses all calls";
  return table(title, await Promise.all(rows));
}

/** Refuses calls, before `nextCall` and after it, and looks at the memory that stays in use. */
export async function refusing(): Promise<string> {
  const target = "127.0.0.1:1";
  const breaker = new CircuitBreaker(3_600_000, () => {});
  for (let n = 0; n < 5; n++) breaker.admit()?.("failure");
  const before = breakerInterceptor(breaker, { target, patienceMs: 0 });
  const after: Interceptor = (options, nextCall) => {
    nextCall(options);
    return new InterceptingCall(refusedCall("too late"));
  };
  const rows: string[][] = [];
  for (const [name, interceptor, count] of [
    ["before nextCall", before, 100_000],
    ["after nextCall", after, 10_000],
  ] as const) {
    const connection = dialWith(target, { inner: [interceptor] });
    for (let n = 0; n < 1000; n++) await get(connection);
    const [used, startedAt] = [memory(), performance.now()];
    for (let n = 0; n < count; n++) await get(connection);
    const each = ((performance.now() - startedAt) / count).toFixed(2);
    const grown = Math.max(0, memory() - used) / 1_000_000;
    rows.push([name, `${count} refused`, `${each} ms each`, `${grown.toFixed(1)} MB kept`]);
    connection.close();
  }
  return table("refusals by an interceptor", rows);
}

/** Returns how many bytes of memory are in use once what isn't has been collected. */
function memory(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}
