// Receives spans in the form in which programs send them to a collector: OTLP over HTTP, as JSON.

import { createServer, type IncomingMessage, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { createGunzip } from "node:zlib";

/** One operation in a program, with its start and duration. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first span of a trace. */
  readonly parentSpanId: string;
  /** The name of the program. */
  readonly service: string;
  readonly name: string;
  readonly kind: string;
  /** In milliseconds since 1970. */
  readonly startMs: number;
  readonly durationMs: number;
  /** Why the operation failed; undefined if it succeeded. */
  readonly error: string | undefined;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly attributes: Attributes }[];
}

export type Attributes = Readonly<Record<string, string>>;

/** The fields of OTLP's JSON that are read here. Times are nanoseconds since 1970. */
interface Export {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly KeyValue[] };
    readonly scopeSpans?: readonly { readonly spans?: readonly OtlpSpan[] }[];
  }[];
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind?: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly KeyValue[];
  readonly events?: readonly { name: string; attributes?: readonly KeyValue[] }[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

interface KeyValue {
  readonly key: string;
  readonly value?: Readonly<Record<string, unknown>>;
}

const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"];
const ERROR = 2;

/**
 * Returns an HTTP server that calls `receive` with the spans of each request. The caller starts it with
 * `listen`.
 */
export function collector(receive: (spans: Span[]) => void): Server {
  return createServer(async (request, response) => {
    const refuse = (code: number, reason: string) => response.writeHead(code).end(`${reason}\n`);
    if (request.method !== "POST" || request.url !== "/v1/traces") {
      refuse(404, "POST /v1/traces is all there is");
    } else if (!request.headers["content-type"]?.startsWith("application/json")) {
      refuse(415, "this collector reads JSON only: OTEL_EXPORTER_OTLP_PROTOCOL=http/json");
    } else {
      try {
        receive(readSpans(await bodyOf(request)));
        response.setHeader("content-type", "application/json").end("{}");
      } catch (error) {
        refuse(400, `no spans: ${error instanceof Error ? error.message : error}`);
      }
    }
  });
}

/**
 * Returns the spans in the body of a request to a collector.
 * @throws {Error} if the body is not OTLP as JSON.
 */
export function readSpans(body: string): Span[] {
  const { resourceSpans = [] }: Export = JSON.parse(body);
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }) => {
    const service = attributesOf(resource?.attributes)["service.name"] ?? "unknown";
    return scopeSpans.flatMap(({ spans = [] }) => spans.map((span) => toSpan(span, service)));
  });
}

function bodyOf(request: IncomingMessage): Promise<string> {
  const packed = request.headers["content-encoding"] === "gzip";
  return text(packed ? request.pipe(createGunzip()) : request);
}

function toSpan(span: OtlpSpan, service: string): Span {
  const [start, end] = [BigInt(span.startTimeUnixNano), BigInt(span.endTimeUnixNano)];
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId ?? "",
    service,
    name: span.name,
    kind: KINDS[span.kind ?? 0] ?? "unspecified",
    startMs: Number(start / 1000n) / 1000,
    durationMs: Number(end - start) / 1e6,
    error: span.status?.code === ERROR ? (span.status.message ?? "") : undefined,
    attributes: attributesOf(span.attributes),
    events: (span.events ?? []).map(({ name, attributes }) => {
      return { name, attributes: attributesOf(attributes) };
    }),
  };
}

/** Returns attributes as an object. In OTLP, a value has one field, named after its type: `stringValue`. */
function attributesOf(pairs: readonly KeyValue[] = []): Attributes {
  return Object.fromEntries(
    pairs.map(({ key, value = {} }) => [key, String(Object.values(value)[0] ?? "")]),
  );
}
