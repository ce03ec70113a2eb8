// Records a call as a span, by OpenTelemetry's semantic conventions for gRPC.

import { status } from "@grpc/grpc-js";
import {
  type Attributes,
  type Context,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

const tracer = trace.getTracer("bakery");

/** The server's own faults. NOT_FOUND, for instance, is an error to its client alone. */
const SERVER_ERRORS: readonly status[] = [
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.UNIMPLEMENTED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.DATA_LOSS,
];

/** What client and server know of a method. grpc-js calls it a method definition. */
interface Method {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

/** One side of a call. */
export class CallSpan {
  /** The context of what belongs to the call: spans that begin in it are children of this one. */
  readonly context: Context;
  readonly #span: Span;
  readonly #isServer: boolean;
  readonly #streams: boolean;
  #received = 0;
  #sent = 0;

  /**
   * @param options.address HOST:PORT of the server.
   * @param options.parent the context in which the call is made.
   */
  constructor(
    kind: SpanKind.CLIENT | SpanKind.SERVER,
    { path, requestStream, responseStream }: Method,
    { address, parent }: { address: string; parent: Context },
  ) {
    const name = path.slice(1); // bakery.v1.CatalogService/GetProduct, never an id: names are few
    const attributes = { "rpc.system.name": "grpc", "rpc.method": name, ...server(address) };
    this.#span = tracer.startSpan(name, { kind, attributes }, parent);
    this.#isServer = kind === SpanKind.SERVER;
    this.#streams = requestStream || responseStream;
    this.context = trace.setSpan(parent, this.#span);
  }

  received(): void {
    if (this.#streams) this.#message("RECEIVED", ++this.#received);
  }

  sent(): void {
    if (this.#streams) this.#message("SENT", ++this.#sent);
  }

  /** Only the first time counts: a call may be told to end by its handler and by its client. */
  end(code: status, details = ""): void {
    if (!this.#span.isRecording()) return;
    const name = status[code] ?? "UNKNOWN";
    this.#span.setAttribute("rpc.response.status_code", name);
    if (this.#isServer ? SERVER_ERRORS.includes(code) : code !== status.OK) {
      this.#span.setAttribute("error.type", name);
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message: details });
    }
    this.#span.end();
  }

  /** An event for each message of a stream. A span keeps its last 128 events. */
  #message(type: "SENT" | "RECEIVED", id: number): void {
    if (!this.#span.isRecording()) return;
    this.#span.addEvent("rpc.message", { "rpc.message.type": type, "rpc.message.id": id });
  }
}

function server(address: string): Attributes {
  const colon = address.lastIndexOf(":");
  const port = Number(address.slice(colon + 1));
  const known = colon > 0 && Number.isInteger(port);
  if (!known) return { "server.address": address };
  return { "server.address": address.slice(0, colon), "server.port": port };
}
