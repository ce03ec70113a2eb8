// Prints the key figures of a server: how many calls it received, how many failed through its own fault,
// and how long they took. Prometheus computes the same with the rules of step 08.

import { setTimeout } from "node:timers/promises";
import { parseOptions } from "../terminal/command-line.ts";
import { formatColumns } from "../terminal/output.ts";
import { runProgram } from "../terminal/program.ts";
import { fetchSamples, growth, quantile, type Sample, seriesOf } from "./samples.ts";

/** The statuses that are the server's fault. NOT_FOUND and CANCELLED, for instance, are not. */
const FAULTS = ["UNKNOWN", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"];

await runProgram(async () => {
  const { url, seconds, series } = parseOptions({
    url: {
      value: "URL",
      help: "the page to read",
      default: `http://127.0.0.1:${process.env.METRICS_PORT || 9464}/metrics`,
    },
    seconds: {
      value: "S",
      help: "counts for S seconds; by default since the server's start",
      default: 0,
      min: 1,
      max: 3600,
    },
    series: {
      value: "START",
      help: "prints the series whose names start with START, as they are on the page",
      default: "",
    },
  });
  if (series !== "") {
    const found = (await fetchSamples(url)).filter(({ name }) => name.startsWith(series));
    const lines = found.map((sample) => `${seriesOf(sample)} ${sample.value}`);
    console.log(lines.length > 0 ? lines.join("\n") : `no series starts with ${series}`);
    return 0;
  }
  const before = seconds > 0 ? await fetchSamples(url) : [];
  if (seconds > 0) await setTimeout(seconds * 1000);
  const after = await fetchSamples(url);
  console.log(table(growth(before, after)));
  console.log(`series: ${families(after)}`);
  return 0;
});

function table(samples: readonly Sample[]): string {
  const of = (name: string) => samples.filter((sample) => sample.name === name);
  const rows = of("grpc_server_started_total").flatMap(({ labels }) => {
    const { grpc_service = "", grpc_method = "", grpc_type } = labels;
    const ofMethod = (sample: Sample) =>
      sample.labels.grpc_service === grpc_service && sample.labels.grpc_method === grpc_method;
    const handled = of("grpc_server_handled_total").filter(ofMethod);
    const sum = (codes: readonly string[]) =>
      handled
        .filter((sample) => codes.includes(sample.labels.grpc_code ?? ""))
        .reduce((total, { value }) => total + value, 0);
    const calls = handled.reduce((total, { value }) => total + value, 0);
    if (calls === 0) return [];
    // Streams often end by their deadline. A unary call that exceeds its deadline was too slow.
    const faults = sum(grpc_type === "unary" ? [...FAULTS, "DEADLINE_EXCEEDED"] : FAULTS);
    const buckets = of("grpc_server_handling_seconds_bucket").filter(ofMethod);
    const times = [0.5, 0.99].map((share) => `${(quantile(share, buckets) * 1000).toFixed(1)} ms`);
    const service = grpc_service.slice(grpc_service.lastIndexOf(".") + 1);
    return [[`${service}/${grpc_method}`, ...[calls, sum(["OK"]), faults].map(String), ...times]];
  });
  const header = ["METHOD", "CALLS", "OK", "FAULTS", "P50", "P99"];
  return rows.length > 0 ? formatColumns([header, ...rows]) : "no call has ended";
}

/** Returns the number of series on the page, by the first word of their names: `grpc 397, nodejs 60`. */
function families(samples: readonly Sample[]): string {
  const counts = new Map<string, number>();
  for (const { name } of samples) {
    const [family = ""] = name.split("_");
    counts.set(family, (counts.get(family) ?? 0) + 1);
  }
  return [...counts]
    .sort()
    .map(([family, count]) => `${family} ${count}`)
    .join(", ");
}
