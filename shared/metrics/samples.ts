// Reads a page of metrics, in the text format that servers show to Prometheus.

import { ExpectedError } from "../terminal/program.ts";

/** The value of one series. */
export interface Sample {
  /** `grpc_server_started_total` */
  readonly name: string;
  /** `{ grpc_method: "GetProduct" }` */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Fetches the page at `url`.
 * @throws {ExpectedError} if nothing listens there, or the HTTP status is an error.
 */
export async function fetchSamples(url: string): Promise<Sample[]> {
  const response = await fetch(url).catch(() => undefined);
  if (response === undefined) {
    throw new ExpectedError(
      `nothing answers at ${url}: is the server running, and is this its METRICS_PORT?`,
    );
  }
  if (!response.ok)
    throw new ExpectedError(`${url} answers with the HTTP status ${response.status}`);
  return readSamples(await response.text());
}

/** Reads a page. Skips lines that start with #, which describe the metrics. */
export function readSamples(page: string): Sample[] {
  return page.split("\n").flatMap((line) => {
    const [, name, text = "", value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    if (name === undefined || value === undefined) return [];
    const pairs = [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
    const labels = Object.fromEntries(pairs.map(([, label = "", of = ""]) => [label, of]));
    return [{ name, labels, value: value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value) }];
  });
}

/** Returns a series as the page writes it: `name{label="value"}`. */
export function seriesOf({ name, labels }: Sample): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pairs.length > 0 ? `${name}{${pairs.join(",")}}` : name;
}

/** Returns the samples of `after` minus their values in `before`; a new series starts at 0. */
export function growth(before: readonly Sample[], after: readonly Sample[]): Sample[] {
  const old = new Map(before.map((sample) => [seriesOf(sample), sample.value]));
  return after.map((sample) => ({
    ...sample,
    value: sample.value - (old.get(seriesOf(sample)) ?? 0),
  }));
}

/**
 * Estimates the time within which a share of the calls ended, like `histogram_quantile` of
 * Prometheus: finds the bucket that contains the quantile, and assumes that the calls in it are
 * spread evenly.
 * @param share from 0 to 1.
 * @param buckets of one histogram, in the order of the page.
 * @returns seconds: the lower bound for a call in the last bucket, and 0 if there are no calls.
 */
export function quantile(share: number, buckets: readonly Sample[]): number {
  const rank = share * (buckets.at(-1)?.value ?? 0);
  let [low, below] = [0, 0];
  for (const { labels, value: count } of buckets) {
    const high = Number(labels.le); // NaN for +Inf
    if (count >= rank) {
      const isLast = Number.isNaN(high);
      return isLast || count === 0 ? low : low + ((high - low) * (rank - below)) / (count - below);
    }
    [low, below] = [high, count];
  }
  return low;
}
