// The standard variables of OpenTelemetry that the course reads itself, or has other defaults for.

import { oneOf, type ValueOf } from "../../shared/terminal/values.ts";

const COLLECTOR = "the collector of traces, such as http://127.0.0.1:4318";
const roots = ["always_on", "always_off", "traceidratio"];

export const tracingVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: { default: "", help: COLLECTOR, problem: urlProblem },
  JAEGER: { default: "", help: "the same, in short: Jaeger is a collector", problem: urlProblem },
  OTEL_TRACES_SAMPLER: {
    default: "parentbased_always_on",
    help: "which traces to record",
    problem: oneOf(...roots, ...roots.map((root) => `parentbased_${root}`)),
  },
  OTEL_TRACES_SAMPLER_ARG: {
    default: "1",
    help: "the share of all traces that traceidratio records",
    problem: shareProblem,
  },
  OTEL_BSP_SCHEDULE_DELAY: { default: 1000, help: "how long spans wait to be sent together" },
  OTEL_BSP_MAX_QUEUE_SIZE: { default: 2048, min: 1, help: "how many spans may wait" },
  OTEL_EXPORTER_OTLP_TIMEOUT: { default: 1000, min: 1, help: "how long sending them may take" },
} as const;

export type TracingVariables = {
  readonly [Name in keyof typeof tracingVariables]: ValueOf<(typeof tracingVariables)[Name]>;
};

function urlProblem(text: string): string | undefined {
  const isUrl = text === "" || (/^https?:/.test(text) && URL.canParse(text));
  return isUrl ? undefined : `must be a URL such as http://127.0.0.1:4318, not "${text}"`;
}

function shareProblem(text: string): string | undefined {
  const share = /^[\d.]+$/.test(text) ? Number(text) : Number.NaN;
  return share >= 0 && share <= 1 ? undefined : `must be from 0 to 1, such as 0.1, not "${text}"`;
}
