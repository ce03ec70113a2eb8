// What the benchmark and its load generator say to each other, over the channel between two processes.

/** The kinds of load, in the order of the report. */
export const workloads = [
  "unary",
  "server-stream",
  "client-stream",
  "bidi",
  "generated-client",
] as const;
export type Workload = (typeof workloads)[number];

/** A server to put load on. */
export interface Target {
  /** HOST:PORT */
  readonly address: string;
  readonly protocol: "grpc" | "rest";
  /** A file with the certificate to trust, PEM; undefined for plaintext. */
  readonly caFile: string | undefined;
  /** Sent with every call; undefined where nobody asks for one. */
  readonly token: string | undefined;
}

export type Job =
  | {
      readonly kind: "load";
      readonly target: Target;
      readonly workload: Workload;
      /** The warm-up ends with this many messages, or after this long. */
      readonly warmUpMessages: number;
      readonly warmUpMs: number;
      readonly measureMs: number;
    }
  | { readonly kind: "bytes"; readonly target: Target }
  /** Opens `count` watches that stay; with `reading` false their messages are never taken. */
  | {
      readonly kind: "watch";
      readonly target: Target;
      readonly count: number;
      readonly reading: boolean;
    };

/** What one window of load came to. A message is a call in a unary load. */
export interface LoadResult {
  readonly seconds: number;
  readonly calls: number;
  readonly messages: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the load generator itself, in microseconds. */
  readonly clientCpuUs: number;
}

/** Bytes that crossed for one call on a connection in use, both ways. */
export interface WireBytes {
  readonly up: number;
  readonly down: number;
}

export interface BytesResult {
  readonly product: WireBytes;
  readonly list: WireBytes;
}

/** What a load generator sends. "measuring" says that the warm-up is over. */
export type LoadMessage =
  | { readonly kind: "measuring" }
  | { readonly kind: "done"; readonly result: LoadResult | BytesResult | undefined }
  | { readonly kind: "failed"; readonly reason: string };

/** What a server's gauge answers to any message. */
export interface Gauge {
  /** On the server's own clock. */
  readonly atMs: number;
  readonly cpuUs: number;
  readonly rssBytes: number;
}
