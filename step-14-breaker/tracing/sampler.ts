// Chooses which traces to record, by the standard variables. The SDK itself doesn't read them.

import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";
import type { TracingVariables } from "./variables.ts";

const PARENT_BASED = "parentbased_";

/** A parent-based sampler decides where a trace begins, so all of it is recorded, or none. */
export function samplerOf(variables: TracingVariables): Sampler {
  const name = variables.OTEL_TRACES_SAMPLER;
  const share = Number(variables.OTEL_TRACES_SAMPLER_ARG);
  if (!name.startsWith(PARENT_BASED)) return rootSampler(name, share);
  return new ParentBasedSampler({ root: rootSampler(name.slice(PARENT_BASED.length), share) });
}

function rootSampler(name: string, share: number): Sampler {
  if (name === "always_off") return new AlwaysOffSampler();
  return name === "traceidratio" ? new TraceIdRatioBasedSampler(share) : new AlwaysOnSampler();
}
