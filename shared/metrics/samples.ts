// Reads a page of metrics, as a server shows it to Prometheus.

import { ExpectedError } from "../terminal/program.ts";

/** What a page says of one series: `grpc_server_started_total{grpc_method="GetProduct"} 12`. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Fetches the page at `url`.
 * @throws {ExpectedError} if nobody answers, or the answer is no page of metrics.
 */
export async function fetchSamples(url: string): Promise<Sample[]> {
  const response = await fetch(url).catch(() => undefined);
  if (response === undefined) {
    throw new ExpectedError(`nobody answers at ${url}: is the server running, with METRICS_PORT?`);
  }
  if (!response.ok) throw new ExpectedError(`${url} answers with ${response.status}`);
  return readSamples(await response.text());
}

/** Reads Prometheus's text format. Lines that begin with # are comments. */
export function readSamples(page: string): Sample[] {
  return page.split("\n").flatMap((line) => {
    const [, name, text = "", value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    if (name === undefined || value === undefined) return [];
    const pairs = [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
    const labels = Object.fromEntries(pairs.map(([, label = "", of = ""]) => [label, of]));
    return [{ name, labels, value: value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value) }];
  });
}

/** Returns the samples of `after`, each less what it was before. */
export function growth(before: readonly Sample[], after: readonly Sample[]): Sample[] {
  const key = ({ name, labels }: Sample) => JSON.stringify([name, Object.entries(labels).sort()]);
  const old = new Map(before.map((sample) => [key(sample), sample.value]));
  return after.map((sample) => ({ ...sample, value: sample.value - (old.get(key(sample)) ?? 0) }));
}

/**
 * Returns what `histogram_quantile` of Prometheus returns, in seconds: it finds the bucket in which
 * the call lies, and takes its calls to be spread evenly over it.
 */
export function quantile(share: number, buckets: readonly Sample[]): number {
  const bounds = buckets.map(({ labels, value }) => ({
    high: labels.le === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels.le),
    count: value,
  }));
  const rank = share * (bounds.at(-1)?.count ?? 0);
  let [low, below] = [0, 0];
  for (const { high, count } of bounds) {
    if (count >= rank) {
      // In the last bucket anything is possible: its lower bound is all that is known.
      return high === Number.POSITIVE_INFINITY
        ? low
        : low + ((high - low) * (rank - below)) / (count - below);
    }
    [low, below] = [high, count];
  }
  return low;
}
