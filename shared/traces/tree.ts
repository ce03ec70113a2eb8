// Formats a trace as a tree: each span below its parent, with its duration and result.

import { formatColumns, formatCount } from "../terminal/output.ts";
import type { Span } from "./spans.ts";

/** Returns true if the root span and the parents of all other spans are present. */
export function isWhole(spans: readonly Span[]): boolean {
  return orphans(spans).length === 0 && spans.some(({ parentSpanId }) => parentSpanId === "");
}

/**
 * Returns the trace as text.
 * @param details adds the attributes and events of each span.
 */
export function formatTrace(spans: readonly Span[], details = false): string {
  const sorted = [...spans].sort((one, other) => one.startMs - other.startMs);
  const [first] = sorted;
  if (first === undefined) return "";
  const missing = new Set(orphans(spans).map(({ spanId }) => spanId));
  const lines: { row: string[]; below: string[] }[] = [];
  const add = (span: Span, depth: number) => {
    const { name, service, kind, startMs, durationMs, attributes, error } = span;
    const code = attributes["rpc.response.status_code"] ?? "";
    const ended = [
      code,
      error === undefined ? "" : "error",
      missing.has(span.spanId) ? "(parent missing)" : "",
    ];
    const branch = depth === 0 ? "" : `${"  ".repeat(depth - 1)}└ `;
    lines.push({
      row: [
        branch + name,
        service,
        kind,
        `${(startMs - first.startMs).toFixed(1)} ms`.padStart(10),
        `${durationMs.toFixed(1)} ms`.padStart(10),
        ended.filter(Boolean).join(" "),
      ],
      below: details ? detailsOf(span).map((line) => `${"  ".repeat(depth + 1)}${line}`) : [],
    });
    for (const child of sorted) if (child.parentSpanId === span.spanId) add(child, depth + 1);
  };
  for (const span of sorted) if (span.parentSpanId === "" || missing.has(span.spanId)) add(span, 0);

  const header = ["SPAN", "PROGRAM", "KIND", "BEGINS".padStart(10), "TAKES".padStart(10), "STATUS"];
  const [head = "", ...rows] = formatColumns([header, ...lines.map(({ row }) => row)]).split("\n");
  const body = rows.flatMap((row, at) => [row, ...(lines[at]?.below ?? [])]);
  return [`trace ${first.traceId}: ${formatCount(spans.length, "span")}`, head, ...body].join("\n");
}

function orphans(spans: readonly Span[]): Span[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return spans.filter(({ parentSpanId }) => parentSpanId !== "" && !ids.has(parentSpanId));
}

function detailsOf({ attributes, events, error }: Span): string[] {
  const pairs = (of: Span["attributes"]) =>
    Object.entries(of).map(([name, value]) => `${name}=${value}`);
  return [
    ...pairs(attributes),
    ...(error ? [`error: ${error}`] : []),
    ...events.map((event) => `event ${event.name} ${pairs(event.attributes).join(" ")}`),
  ];
}
