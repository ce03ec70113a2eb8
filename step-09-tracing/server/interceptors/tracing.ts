// Server: records each call that has a handler as a span, which continues the client's trace.

import {
  type Metadata,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from "@grpc/grpc-js";
import { type Context, context, propagation, ROOT_CONTEXT, SpanKind } from "@opentelemetry/api";
import { CallSpan } from "../../tracing/call-span.ts";

type Method = Parameters<ServerInterceptor>[0];
type Listener = Parameters<ServerInterceptingCallInterface["start"]>[0];

/** A client whose deadline passes cancels, and that may arrive before our own timer fires. */
const TOLERANCE_MS = 100; // as in metrics.ts

/** Where the header `traceparent` is read from: `00-TRACE-SPAN-01`, in hexadecimal digits. */
const metadataGetter = {
  keys: (metadata: Metadata) => Object.keys(metadata.getMap()),
  get: (metadata: Metadata, key: string) => metadata.get(key).map(String),
};

/**
 * Returns the interceptor `first`, with calls recorded before it sees them. So the span also has a
 * status that grpc-js itself sends, which passes no interceptor; see metrics.ts.
 */
export function tracedCalls(first: ServerInterceptor): ServerInterceptor {
  return (method, call) => {
    const { start, sendMessage, sendStatus } = call;
    let traced: TracedCall | undefined;
    // Methods of a literal: guard.ts explains why.
    Object.assign(call, {
      start(listener: Listener) {
        traced = new TracedCall(method, call, listener);
        start.call(call, traced);
      },
      sendMessage(message: unknown, sent: () => void) {
        sendMessage.call(call, message, sent);
        traced?.span?.sent();
      },
      sendStatus(ended: Parameters<typeof sendStatus>[0]) {
        traced?.span?.end(ended.code ?? status.UNKNOWN, ended.details ?? "");
        sendStatus.call(call, ended);
      },
    });
    return first(method, call);
  };
}

/** Runs the interceptors further in, and the handler, in the context of the call's span. */
class TracedCall implements Listener {
  span: CallSpan | undefined;
  readonly #method: Method;
  readonly #call: ServerInterceptingCallInterface;
  readonly #next: Listener;

  constructor(method: Method, call: ServerInterceptingCallInterface, next: Listener) {
    this.#method = method;
    this.#call = call;
    this.#next = next;
  }

  onReceiveMetadata(metadata: Metadata): void {
    const parent = propagation.extract(ROOT_CONTEXT, metadata, metadataGetter);
    const address = this.#call.getHost();
    this.span = new CallSpan(SpanKind.SERVER, this.#method, { address, parent });
    this.#inside(() => this.#next.onReceiveMetadata(metadata));
  }

  onReceiveMessage(message: unknown): void {
    this.span?.received();
    this.#inside(() => this.#next.onReceiveMessage(message));
  }

  onReceiveHalfClose(): void {
    this.#inside(() => this.#next.onReceiveHalfClose());
  }

  /** Comes at the end of every call. If no status was sent before, the client has cancelled. */
  onCancel(): void {
    const late = Date.now() + TOLERANCE_MS >= Number(this.#call.getDeadline());
    this.span?.end(late ? status.DEADLINE_EXCEEDED : status.CANCELLED);
    this.#inside(() => this.#next.onCancel());
  }

  /** Each event comes from the connection, which carries many calls and belongs to no trace. */
  #inside(act: () => void): void {
    const inside: Context = this.span?.context ?? ROOT_CONTEXT;
    context.with(inside, act);
  }
}
