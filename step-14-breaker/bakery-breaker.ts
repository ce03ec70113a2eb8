// Makes the circuit breaker of a target, and shows in the log and the metrics what it does.

import type { Interceptor } from "@grpc/grpc-js";
import { Counter, Gauge } from "prom-client";
import { type BreakerState, CircuitBreaker } from "./client/circuit-breaker.ts";
import { breakerInterceptor } from "./client/interceptors/breaker.ts";

const STATES: readonly BreakerState[] = ["closed", "open", "half-open"];
const current = new Gauge({
  name: "bakery_breaker_state",
  help: "1 for the state that the breaker is in.",
  labelNames: ["target", "state"],
});
const transitions = new Counter({
  name: "bakery_breaker_transitions_total",
  help: "Changes of the breaker's state, by the new state.",
  labelNames: ["target", "state"],
});

/**
 * Returns the interceptors of a channel to a target: a breaker, or none if `openMs` is 0.
 * @param options.openMs how long calls are refused once the breaker has opened.
 */
export function breakerTo(
  target: string,
  { openMs, patienceMs }: { openMs: number; patienceMs: number },
): Interceptor[] {
  if (openMs === 0) return [];
  const show = (now: BreakerState) => {
    for (const state of STATES) current.set({ target, state }, Number(state === now));
  };
  show("closed");
  for (const state of STATES) transitions.inc({ target, state }, 0);
  const breaker = new CircuitBreaker(openMs, (state) => {
    console.log(`circuit to ${target}: ${state}`);
    show(state);
    transitions.inc({ target, state });
  });
  return [breakerInterceptor(breaker, { target, patienceMs })];
}
