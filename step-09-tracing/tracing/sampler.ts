// Chooses which traces to record, by the standard variables. The SDK itself doesn't read them.

import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";
import { oneOf } from "../../shared/terminal/values.ts";

const roots: Readonly<Record<string, (share: number) => Sampler>> = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (share) => new TraceIdRatioBasedSampler(share),
};
/** The decision of the program that began the trace is kept: a trace is recorded whole or not. */
const PARENT_BASED = "parentbased_";

export const samplerVariables = {
  OTEL_TRACES_SAMPLER: {
    default: "parentbased_always_on",
    help: "which traces to record",
    problem: oneOf(...Object.keys(roots).flatMap((root) => [root, PARENT_BASED + root])),
  },
  OTEL_TRACES_SAMPLER_ARG: {
    default: "1",
    help: "the share of the traces that traceidratio records, from 0 to 1",
    problem: shareProblem,
  },
} as const;

export function samplerOf(variables: {
  readonly OTEL_TRACES_SAMPLER: string;
  readonly OTEL_TRACES_SAMPLER_ARG: string;
}): Sampler {
  const name = variables.OTEL_TRACES_SAMPLER;
  const parentBased = name.startsWith(PARENT_BASED);
  const make = roots[parentBased ? name.slice(PARENT_BASED.length) : name];
  const root = make?.(Number(variables.OTEL_TRACES_SAMPLER_ARG)) ?? new AlwaysOnSampler();
  return parentBased ? new ParentBasedSampler({ root }) : root;
}

function shareProblem(text: string): string | undefined {
  const share = /^[\d.]+$/.test(text) ? Number(text) : Number.NaN;
  return share >= 0 && share <= 1 ? undefined : `must be from 0 to 1, such as 0.1, not "${text}"`;
}
