// Counts the calls of one side, by the names and labels that dashboards and alerts for gRPC expect.

import { status } from "@grpc/grpc-js";
import { Counter, Histogram, type Registry } from "prom-client";
import { CountedCall, type MethodCounts } from "./counted-call.ts";

/** What client and server know of a method. grpc-js calls it a method definition. */
export interface Method {
  /** `/bakery.v1.CatalogService/GetProduct` */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

const METHOD = ["grpc_type", "grpc_service", "grpc_method"] as const;
/** In seconds: unary calls take milliseconds, and streams last. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];
const CODES = Object.keys(status).filter((name) => Number.isNaN(Number(name)));

export class CallMetrics {
  readonly #methods = new Map<string, MethodCounts>();
  readonly #seconds: Histogram<(typeof METHOD)[number] | "trace_id">;
  readonly #exemplars: boolean;
  #opened = 0;

  /** @param methods have all their series at 0 from the start. Any other gets them when called. */
  constructor(registry: Registry, side: "server" | "client", methods: Iterable<Method>) {
    const all = this.#methods;
    const named = (name: string, help: string) => {
      const labelNames = METHOD;
      return { name: `grpc_${side}_${name}`, help, labelNames, registers: [registry] };
    };
    // A call adds to plain numbers. Labels are put together when somebody asks for the metrics.
    const count = (name: string, help: string, read: (counts: MethodCounts) => number) =>
      new Counter({
        ...named(name, help),
        collect() {
          this.reset();
          for (const counts of all.values()) this.inc(counts.labels, read(counts));
        },
      });
    count("started_total", "Calls that began.", ({ started }) => started);
    count("msg_received_total", "Messages that came in.", ({ received }) => received);
    count("msg_sent_total", "Messages that went out.", ({ sent }) => sent);
    if (side === "client") count("retries_total", "Repeated attempts.", ({ retries }) => retries);
    new Counter({
      ...named("handled_total", "Calls that ended, by status."),
      labelNames: [...METHOD, "grpc_code"],
      collect() {
        this.reset();
        for (const { labels, handled } of all.values()) {
          for (const [code, grpc_code] of CODES.entries()) {
            this.inc({ ...labels, grpc_code }, handled[code] ?? 0);
          }
        }
      },
    });
    const seconds = named("handling_seconds", "How long calls took.");
    this.#exemplars = registry.contentType.startsWith("application/openmetrics-text");
    const enableExemplars = this.#exemplars;
    this.#seconds = new Histogram({ ...seconds, buckets: BUCKETS, enableExemplars });
    for (const method of methods) this.#add(method);
  }

  /** Returns how many calls have been counted, those that never began included. */
  get opened(): number {
    return this.#opened;
  }

  /** Returns what counts a new call. */
  open(method: Method): CountedCall {
    this.#opened++;
    return new CountedCall(this.#methods.get(method.path) ?? this.#add(method));
  }

  #add({ path, requestStream, responseStream }: Method): MethodCounts {
    const [, grpc_service = "", grpc_method = ""] = path.split("/");
    const kinds = requestStream ? ["client_stream", "bidi_stream"] : ["unary", "server_stream"];
    const labels = { grpc_type: kinds[responseStream ? 1 : 0] ?? "", grpc_service, grpc_method };
    this.#seconds.zero(labels);
    const { observe } = this.#seconds.labels(labels);
    const counts = {
      labels,
      started: 0,
      received: 0,
      sent: 0,
      retries: 0,
      handled: CODES.map(() => 0),
      observe,
      ...(this.#exemplars && { observeInTrace: this.#exemplarOf(labels) }),
    };
    this.#methods.set(path, counts);
    return counts;
  }

  /** Returns what adds to the histogram and shows, on the page, in which trace that was. */
  #exemplarOf(labels: MethodCounts["labels"]): (value: number, traceId: string) => void {
    return (value, trace_id) =>
      this.#seconds.observe({ labels, value, exemplarLabels: { trace_id } });
  }
}
