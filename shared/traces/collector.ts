// Receives the spans that programs send, and prints each trace as a tree in this terminal.

import { once } from "node:events";
import { parseOptions } from "../terminal/command-line.ts";
import { runProgram } from "../terminal/program.ts";
import { collector, type Span } from "./spans.ts";
import { formatTrace, isWhole } from "./tree.ts";

/** How long to wait for more spans: client and server send theirs separately, about a second late. */
const QUIET_MS = 1500;
/** How long to wait for missing spans. A stream can last longer; its trace is then printed again. */
const PATIENCE_MS = 5000;
const MAX_TRACES = 1000;

await runProgram(async () => {
  const { port, details } = parseOptions({
    port: {
      value: "PORT",
      help: "where programs send their spans",
      default: Number(process.env.COLLECTOR_PORT || 4318),
      max: 65535,
    },
    details: { help: "prints the attributes and events of spans", default: false },
  });
  const traces = new Map<string, { spans: Span[]; timer?: NodeJS.Timeout }>();
  const server = collector((spans) => {
    for (const span of spans) {
      const trace = traces.get(span.traceId) ?? { spans: [] };
      traces.set(span.traceId, trace);
      trace.spans.push(span);
      clearTimeout(trace.timer);
      const print = () => console.log(`\n${formatTrace(trace.spans, details)}`);
      trace.timer = setTimeout(print, isWhole(trace.spans) ? QUIET_MS : PATIENCE_MS);
    }
    for (const id of traces.keys()) {
      if (traces.size <= MAX_TRACES) break;
      traces.delete(id);
    }
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  const boundPort = typeof bound === "object" ? bound?.port : port;
  console.log(`collecting traces on http://127.0.0.1:${boundPort}`);
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  process.exit(0);
});
