// Client: records each call as a span, and sends the span's id along, so that the server continues
// the trace.

import {
  InterceptingCall,
  type Interceptor,
  type Metadata,
  type StatusObject,
} from "@grpc/grpc-js";
import { context, propagation, SpanKind } from "@opentelemetry/api";
import { CallSpan } from "../../tracing/call-span.ts";

const metadataSetter = {
  set: (metadata: Metadata, key: string, value: string) => metadata.set(key, value),
};

/** Returns an interceptor that must be the first, so that the others' work is part of the span. */
export function clientTracingInterceptor(address: string): Interceptor {
  return (options, nextCall) => {
    const parent = context.active();
    const span = new CallSpan(SpanKind.CLIENT, options.method_definition, { address, parent });
    return new InterceptingCall(nextCall(options), {
      start(metadata, _listener, next) {
        const carrier = metadata.clone(); // The caller may use its metadata for several calls.
        propagation.inject(span.context, carrier, metadataSetter);
        const listener = {
          onReceiveMessage(message: unknown, next: (message: unknown) => void) {
            // If a call with one response fails, grpc-js passes null instead of the response.
            if (message !== null) span.received();
            next(message);
          },
          onReceiveStatus(ended: StatusObject, next: (ended: StatusObject) => void) {
            span.end(ended.code, ended.details);
            next(ended);
          },
        };
        context.with(span.context, () => next(carrier, listener));
      },
      sendMessage(message, next) {
        span.sent();
        next(message);
      },
    });
  };
}
