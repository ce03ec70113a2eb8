// Collects spans and sends them in batches. Says on standard error when some are lost.

import { ExportResultCode } from "@opentelemetry/core";
import {
  BatchSpanProcessor,
  type SpanExporter,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace";

/**
 * Returns a batch processor that reports its losses. By itself, the SDK loses spans silently. It
 * has to lose some if they come faster than they can be sent: no call may wait for it.
 * @param size how many spans may wait.
 * @param delayMs how long a span waits for others.
 */
export function spanQueue(
  exporter: SpanExporter,
  { size, delayMs }: { size: number; delayMs: number },
): SpanProcessor {
  let waiting = 0;
  let dropped = 0;
  let unsent = 0;
  const batches = new BatchSpanProcessor({
    maxQueueSize: size,
    scheduledDelayMillis: delayMs,
    exporter: {
      shutdown: () => exporter.shutdown(),
      export(spans, done) {
        waiting -= spans.length;
        if (dropped > 0) console.error(`traces: dropped ${dropped} spans, ${size} were waiting`);
        dropped = 0;
        exporter.export(spans, (result) => {
          if (result.code === ExportResultCode.SUCCESS) {
            if (unsent > 0)
              console.error(`traces: the collector is back; ${unsent} spans are lost`);
            unsent = 0;
          } else {
            // Once: a collector can be away for hours.
            if (unsent === 0) console.error(`traces: can't be sent: ${reason(result.error)}`);
            unsent += spans.length;
          }
          done(result);
        });
      },
    },
  });
  return {
    onStart() {},
    onEnd(span) {
      if (waiting < size) {
        waiting++;
        batches.onEnd(span);
      } else {
        dropped++;
      }
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };
}

/** An error about several addresses of a name has a code, but no message. */
function reason(error: (Error & { code?: unknown }) | undefined): string {
  return error?.message || String(error?.code ?? "no reason given");
}
