// Puts load on something: makes calls at a steady rate, and prints what becomes of them.

import { setTimeout } from "node:timers/promises";

/** If calls take too long for the rate, the next ones wait: there are never more at a time. */
const MAX_UNDER_WAY = 100;

/** Makes one call, and resolves to what became of it, in a word. */
export type Call = () => Promise<string>;

/**
 * Makes a round of calls `rounds` times, `rate` calls a second. Prints every second, and at the end,
 * how many had which result.
 * @throws what a call throws.
 */
export async function makeCalls(
  round: readonly Call[],
  { rounds, rate }: { rounds: number; rate: number },
): Promise<void> {
  const total = rounds * round.length;
  const results = new Map<string, number>();
  const failures: unknown[] = [];
  const underWay = new Set<Promise<void>>();
  const ended = () => [...results.values()].reduce((sum, count) => sum + count, 0);
  const report = () => console.log(`${ended()} of ${total} calls  ${summary(results)}`.trimEnd());
  const progress = setInterval(report, 1000);
  const startedAt = performance.now();
  for (let made = 0; made < total && failures.length === 0; made++) {
    const earlyMs = startedAt + (made * 1000) / rate - performance.now();
    if (earlyMs > 0) await setTimeout(earlyMs);
    if (underWay.size >= MAX_UNDER_WAY) await Promise.race(underWay);
    const counted = count(round[made % round.length], results)
      .catch((error: unknown) => failures.push(error))
      .then(() => void underWay.delete(counted));
    underWay.add(counted);
  }
  await Promise.all(underWay);
  clearInterval(progress);
  if (failures.length > 0) throw failures[0];
  report();
}

async function count(call: Call | undefined, results: Map<string, number>): Promise<void> {
  if (call === undefined) return;
  const result = await call();
  results.set(result, (results.get(result) ?? 0) + 1);
}

/** `OK 420  NOT_FOUND 20`, the most frequent first. */
function summary(results: ReadonlyMap<string, number>): string {
  const sorted = [...results].sort(([, a], [, b]) => b - a);
  return sorted.map(([result, times]) => `${result} ${times}`).join("  ");
}
