// Counts what happens to one call.

import { status } from "@grpc/grpc-js";
import { currentTraceId } from "../tracing/traced.ts";

/** The numbers of one method since the program has started. */
export interface MethodCounts {
  readonly labels: Record<"grpc_type" | "grpc_service" | "grpc_method", string>;
  started: number;
  received: number;
  sent: number;
  /** Attempts that grpc-js has repeated. */
  retries: number;
  /** How many calls ended with each status: `handled[status.OK]`. */
  readonly handled: number[];
  /** Adds to the histogram how long a call has taken. */
  observe(seconds: number): void;
  /** The same, for a call that is being traced. Present if the page can show traces. */
  observeInTrace?(seconds: number, traceId: string): void;
}

/** A call ends once, but may be told to end twice: by its handler and by its client. */
export class CountedCall {
  readonly #counts: MethodCounts;
  readonly #openedAt = performance.now();
  #retries = 0;
  #ended = false;
  #traceId: string | undefined;

  constructor(counts: MethodCounts) {
    this.#counts = counts;
  }

  start(): void {
    this.#counts.started++;
    if (this.#counts.observeInTrace !== undefined) this.#traceId = currentTraceId();
  }

  received(): void {
    this.#counts.received++;
  }

  /** @param previous how many attempts at this call came before. May be told several times. */
  retried(previous: number): void {
    if (previous <= this.#retries) return;
    this.#counts.retries += previous - this.#retries;
    this.#retries = previous;
  }

  /** Counts nothing after the end: then there is nobody to receive it. */
  sent(): void {
    if (!this.#ended) this.#counts.sent++;
  }

  /** @param code any number: what is no status counts as UNKNOWN, as clients read it. */
  end(code: status): void {
    if (this.#ended) return;
    this.#ended = true;
    const { handled } = this.#counts;
    const known = handled[code] === undefined ? status.UNKNOWN : code;
    handled[known] = (handled[known] ?? 0) + 1;
    const seconds = (performance.now() - this.#openedAt) / 1000;
    if (this.#traceId === undefined) this.#counts.observe(seconds);
    else this.#counts.observeInTrace?.(seconds, this.#traceId);
  }
}
