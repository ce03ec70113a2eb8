// The figures as tables, for the terminal and for Markdown.

import { formatColumns } from "../terminal/output.ts";
import {
  BARE,
  cpuOf,
  type Figures,
  limitOf,
  rateOf,
  ratioOf,
  samplesOf,
  startOf,
  stepsOf,
} from "./figures.ts";
import { type Workload, workloads } from "./jobs.ts";
import { median, type Spread } from "./statistics.ts";
import { showRatio } from "./verdict.ts";

export interface Table {
  readonly title: string;
  readonly note: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const titles: Readonly<Record<Workload, readonly [title: string, note: string]>> = {
  unary: ["Unary calls", "GetProduct, 64 in flight."],
  "server-stream": ["Server streams", "Watches of ten levels each, 64 in flight; messages."],
  "client-stream": ["Client streams", "Deliveries of 100 crates, 64 in flight; messages."],
  bidi: ["Bidirectional streams", "64 streams, 4 pings in flight in each; pings."],
  "generated-client": [
    "Unary calls, with the client that people use",
    "As above, but made by the generated client (for REST by node:http), whose time counts too.",
  ],
};

/** Every table that the run has figures for; the one by step first. */
export function tablesOf(figures: Figures): Table[] {
  return [
    stepTable(figures),
    ...workloads.map((workload) => loadTable(figures, workload)),
    startTable(figures),
    bytesTable(figures),
    memoryTable(figures),
  ].filter(({ rows }) => rows.length > 0);
}

/** One line a step: what it costs at a glance. */
function stepTable(figures: Figures): Table {
  const rows = stepsOf(figures).map((step, at, steps) => {
    const limit = limitOf(figures, step);
    const before = steps[at - 1];
    const ratio = (workload: Workload, other: string) =>
      short(ratioOf(figures, workload, step, other));
    return [
      step,
      count(rateOf(figures, "unary", step)?.median),
      micros(cpuOf(figures, "unary", step)),
      before === undefined ? "-" : ratio("unary", before),
      ratio("unary", limit),
      ...(["server-stream", "client-stream", "bidi"] as const).map((load) => ratio(load, limit)),
      mebibytes(samplesOf(figures, "unary", step).map(({ rssMiB }) => rssMiB)),
      seconds(startOf(figures, step)),
    ];
  });
  return {
    title: "By step",
    note:
      "Calls and messages in a second as ratios: unary calls to the step before, then all four loads " +
      "to the bare grpc-js server on the same transport (over TLS where the step has TLS).",
    head: [
      "step",
      "unary calls/s",
      "CPU a call",
      "unary to step before",
      "unary to bare",
      "server stream to bare",
      "client stream to bare",
      "bidi to bare",
      "memory",
      "ready in",
    ],
    rows: rows.filter((row) => row.slice(1).some((cell) => cell !== "-")),
  };
}

function loadTable(figures: Figures, workload: Workload): Table {
  const [title, note] = titles[workload];
  const rows = figures.subjects.flatMap(({ name }) => {
    const rate = rateOf(figures, workload, name);
    if (rate === undefined) return [];
    const samples = samplesOf(figures, workload, name);
    const ratio = (other: string) => {
      const value = ratioOf(figures, workload, name, other);
      return value === undefined ? "-" : showRatio(value);
    };
    return [
      [
        name,
        count(rate.median),
        `${count(rate.min)}-${count(rate.max)}`,
        ratio(BARE),
        limitOf(figures, name) === BARE ? "" : ratio(limitOf(figures, name)),
        milliseconds(samples.map(({ p50Ms }) => p50Ms)),
        milliseconds(samples.map(({ p99Ms }) => p99Ms)),
        micros(cpuOf(figures, workload, name)),
        micros(median(samples.map(({ clientCpuUs, messages }) => clientCpuUs / messages))),
        mebibytes(samples.map(({ rssMiB }) => rssMiB)),
      ],
    ];
  });
  const head = [
    "server",
    "per second",
    "from-to",
    "to bare",
    "to bare TLS",
    "p50",
    "p99",
    "server CPU",
    "client CPU",
    "memory",
  ];
  return { title, note, head, rows };
}

function startTable(figures: Figures): Table {
  const rows = figures.subjects.flatMap(({ name }) => {
    const time = startOf(figures, name);
    if (time === undefined) return [];
    return [
      [
        name,
        seconds(time),
        `${seconds({ ...time, median: time.min })}`,
        seconds({ ...time, median: time.max }),
      ],
    ];
  });
  const note = "From the command `npx tsx SERVER` to the line that says listening.";
  return { title: "Start-up", note, head: ["server", "median", "least", "most"], rows };
}

function bytesTable(figures: Figures): Table {
  const rows = figures.bytes.map(({ subject, product, list }) => [
    subject,
    ...[product.up, product.down, list.up, list.down].map(String),
  ]);
  return {
    title: "Bytes on the wire",
    note: "Of one call on a connection in use: headers, frames and TLS included, TCP's own not.",
    head: ["server", "product: up", "down", "list of ten: up", "down"],
    rows,
  };
}

function memoryTable(figures: Figures): Table {
  const rows = figures.memory.map((sample) => [
    sample.subject,
    sample.scenario === "watchers" ? `${sample.watches} watchers` : `${sample.watches} do not read`,
    `${sample.idleMiB.toFixed(0)} MiB`,
    `${sample.levelMiB.toFixed(0)} MiB`,
    `${sample.growthMiB >= 0 ? "+" : ""}${sample.growthMiB.toFixed(1)} MiB`,
  ]);
  const [first] = figures.memory;
  const note =
    "Resident memory of the server: before, the most in the first " +
    `${first?.levelSeconds ?? 0} s, and how much more in the ${first?.growthSeconds ?? 0} s after. ` +
    '"Careless" writes to a stream whether or not the reader keeps up.';
  return {
    title: "Watchers",
    note,
    head: ["server", "watches", "before", "level", "growth"],
    rows,
  };
}

/** For the terminal: numbers stand on the right. */
export function toText({ title, note, head, rows }: Table): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const aligned = [head, ...rows].map((row) =>
    row.map((cell, column) => (column === 0 ? cell : cell.padStart(widths[column] ?? 0))),
  );
  return `${title}. ${note}\n\n${formatColumns(aligned)}`;
}

/** For GitHub. A step's row in the first table can be linked to: `#step-03`. */
export function toMarkdown({ title, note, head, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const linked = rows.map(([name = "", ...cells]) => {
    const anchor = title === "By step" ? /^step-\d\d/.exec(name)?.[0] : undefined;
    const link = /^step-\d\d-/.test(name) ? `[${name}](../../${name}/README.md)` : name;
    return [anchor === undefined ? name : `<a id="${anchor}"></a>${link}`, ...cells];
  });
  const rule = head.map((_, column) => (column === 0 ? "---" : "---:"));
  return [`### ${title}`, "", note, "", ...[head, rule, ...linked].map(line)].join("\n");
}

/** `12,345`, whatever the language of this machine. */
export function count(value: number | undefined): string {
  return value === undefined ? "-" : Math.round(value).toLocaleString("en-US");
}

function short(ratio: Spread | undefined): string {
  return ratio === undefined ? "-" : ratio.median.toFixed(2);
}

function micros(value: number | undefined): string {
  return value === undefined ? "-" : `${value.toFixed(value < 10 ? 1 : 0)} µs`;
}

function milliseconds(values: readonly number[]): string {
  return `${median(values).toFixed(1)} ms`;
}

function mebibytes(values: readonly number[]): string {
  return values.length === 0 ? "-" : `${Math.max(...values).toFixed(0)} MiB`;
}

function seconds(ms: Spread | undefined): string {
  return ms === undefined ? "-" : `${(ms.median / 1000).toFixed(2)} s`;
}
