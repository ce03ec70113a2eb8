// One window of load: calls that follow each other without a pause, counted and timed.

import { setTimeout as wait } from "node:timers/promises";
import type { LoadResult } from "../jobs.ts";
import { percentile } from "../statistics.ts";
import type { Load, Worker } from "./workloads.ts";

const DRAIN_MS = 5000;

/** How long to warm up and to measure; see Job. */
interface Window {
  readonly warmUpMessages: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/**
 * Warms the server up, then counts for `measureMs` milliseconds what comes to its end.
 * @throws {Error} saying what is wrong with the first call that fails.
 */
export async function measure(
  load: Load,
  { warmUpMessages, warmUpMs, measureMs }: Window,
  onMeasuring: () => void,
): Promise<LoadResult> {
  let [measuring, stopped] = [false, false];
  let [messages, warmed] = [0, 0];
  let warm = () => {};
  const enough = new Promise<void>((resolve) => {
    warm = resolve;
  });
  const latencies: number[] = [];
  const repeat = async ({ act }: Worker) => {
    while (!stopped) {
      const startedAt = performance.now();
      const count = await act();
      if (!measuring) {
        warmed += count;
        if (warmed >= warmUpMessages) warm();
        continue;
      }
      latencies.push(performance.now() - startedAt);
      messages += count;
    }
  };
  const ended = Promise.all(load.workers.map(repeat)).then(() => {});

  await Promise.race([ended, enough, wait(warmUpMs)]);
  onMeasuring();
  measuring = true;
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await Promise.race([ended, wait(measureMs)]);
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  measuring = false;
  stopped = true;

  const sorted = Float64Array.from(latencies).sort();
  const impatience = new AbortController();
  await Promise.race([ended, wait(DRAIN_MS, undefined, { signal: impatience.signal })]);
  impatience.abort();
  return {
    seconds,
    calls: latencies.length,
    messages,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    clientCpuUs: user + system,
  };
}
