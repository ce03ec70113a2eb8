// Prints the few figures of a server that matter: how many calls, how many of them failed by its own
// fault, and how long they took. Prometheus computes the same; see rules.yml of step 08.

import { setTimeout } from "node:timers/promises";
import { parseOptions } from "../terminal/command-line.ts";
import { formatColumns } from "../terminal/output.ts";
import { runProgram } from "../terminal/program.ts";
import { fetchSamples, growth, quantile, type Sample } from "./samples.ts";

/** The statuses that a server can be blamed for. NOT_FOUND and CANCELLED are not its fault. */
const FAULTS = [
  "UNKNOWN",
  "DEADLINE_EXCEEDED",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
];

await runProgram(async () => {
  const { url, seconds } = parseOptions({
    url: { value: "URL", help: "the page", default: "http://127.0.0.1:9464/metrics" },
    seconds: {
      value: "S",
      help: "counts for so long; unless given, since the server has started",
      default: 0,
      min: 1,
    },
  });
  const before = seconds > 0 ? await fetchSamples(url) : [];
  if (seconds > 0) await setTimeout(seconds * 1000);
  console.log(table(growth(before, await fetchSamples(url))));
  return 0;
});

function table(samples: readonly Sample[]): string {
  const of = (name: string) => samples.filter((sample) => sample.name === name);
  const rows = of("grpc_server_started_total").flatMap(({ labels }) => {
    const { grpc_service = "", grpc_method = "" } = labels;
    const mine = (sample: Sample) =>
      sample.labels.grpc_service === grpc_service && sample.labels.grpc_method === grpc_method;
    const handled = of("grpc_server_handled_total").filter(mine);
    const calls = sum(handled);
    if (calls === 0) return [];
    const ok = sum(handled.filter((one) => one.labels.grpc_code === "OK"));
    const faults = sum(handled.filter((one) => FAULTS.includes(one.labels.grpc_code ?? "")));
    const buckets = of("grpc_server_handling_seconds_bucket").filter(mine);
    const times = [0.5, 0.99].map((share) => milliseconds(quantile(share, buckets)));
    const service = grpc_service.slice(grpc_service.lastIndexOf(".") + 1);
    return [[`${service}/${grpc_method}`, ...[calls, ok, faults].map(String), ...times]];
  });
  const header = ["METHOD", "CALLS", "OK", "FAULTS", "P50", "P99"];
  return rows.length > 0 ? formatColumns([header, ...rows]) : "no call has ended";
}

function sum(samples: readonly Sample[]): number {
  return samples.reduce((total, { value }) => total + value, 0);
}

function milliseconds(seconds: number): string {
  return `${(seconds * 1000).toFixed(1)} ms`;
}
