// Server: counts each call that has a handler, its messages, and how it ended.

import {
  type Metadata,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from "@grpc/grpc-js";
import type { CallMetrics } from "../../metrics/call-metrics.ts";
import type { CountedCall } from "../../metrics/counted-call.ts";

type Listener = Parameters<ServerInterceptingCallInterface["start"]>[0];

/**
 * A client whose deadline passes cancels the call, which often arrives before our own timer fires:
 * that one starts when the call arrives. So a cancel shortly before the deadline counts as one.
 */
const TOLERANCE_MS = 100;

/**
 * Returns the interceptor `first`, with calls counted before it sees them: those, too, that an
 * interceptor refuses. grpc-js itself ends calls that bring no readable message, or whose deadline
 * passes. That passes no interceptor, but it does pass the methods of the call that `first` gets.
 */
export function countingCalls(metrics: CallMetrics, first: ServerInterceptor): ServerInterceptor {
  return (method, call) => {
    const counted = metrics.open(method);
    const { start, sendMessage, sendStatus } = call;
    // Methods of a literal: guard.ts explains why.
    Object.assign(call, {
      start(listener: Listener) {
        start.call(call, new CountingListener(counted, call, listener));
      },
      sendMessage(message: unknown, sent: () => void) {
        sendMessage.call(call, message, sent);
        counted.sent(); // Not if it could not be sent: then the call has ended with a status.
      },
      sendStatus(ended: Parameters<typeof sendStatus>[0]) {
        counted.end(ended.code ?? status.UNKNOWN);
        sendStatus.call(call, ended);
      },
    });
    return first(method, call);
  };
}

/** Counts what comes in. A class, because a function for each event and call would take longer. */
class CountingListener implements Listener {
  readonly #counted: CountedCall;
  readonly #call: ServerInterceptingCallInterface;
  readonly #next: Listener;

  constructor(counted: CountedCall, call: ServerInterceptingCallInterface, next: Listener) {
    this.#counted = counted;
    this.#call = call;
    this.#next = next;
  }

  onReceiveMetadata(metadata: Metadata): void {
    // Not before: a call whose client is gone by now never begins, and would never end either.
    this.#counted.start();
    this.#next.onReceiveMetadata(metadata);
  }

  onReceiveMessage(message: unknown): void {
    this.#counted.received();
    this.#next.onReceiveMessage(message);
  }

  onReceiveHalfClose(): void {
    this.#next.onReceiveHalfClose();
  }

  /** Comes at the end of every call. If no status was sent before, the client has cancelled. */
  onCancel(): void {
    const late = Date.now() + TOLERANCE_MS >= Number(this.#call.getDeadline());
    this.#counted.end(late ? status.DEADLINE_EXCEEDED : status.CANCELLED);
    this.#next.onCancel();
  }
}
