// Client: refuses calls while the server's circuit is open, and reports the outcomes of the others.

import { InterceptingCall, type Interceptor, status } from "@grpc/grpc-js";
import type { CircuitBreaker, Outcome } from "../circuit-breaker.ts";
import { refusedCall } from "../refused-call.ts";

/** From a server that is gone, hangs or has too much to do. Any other status shows it works. */
const FAILURES: readonly status[] = [
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
];

export interface BreakerOptions {
  /** What is dialled. Each target needs a breaker of its own. */
  readonly target: string;
  /** If a call had less time than this, running out of it is no fault of the server. */
  readonly patienceMs: number;
}

/** Must be the last: further in is grpc-js, which repeats the attempts of a call. */
export function breakerInterceptor(
  breaker: CircuitBreaker,
  { target, patienceMs }: BreakerOptions,
): Interceptor {
  return (options, nextCall) => {
    const report = breaker.admit();
    if (report === undefined) {
      return new InterceptingCall(refusedCall(`the circuit to ${target} is open`));
    }
    const leftMs = Number(options.deadline ?? Number.POSITIVE_INFINITY) - Date.now();
    return new InterceptingCall(nextCall(options), {
      start(metadata, _listener, next) {
        next(metadata, {
          onReceiveMessage(message, next) {
            // A stream may last for days, so its first message counts. (null isn't a message.)
            if (message !== null) report("success");
            next(message);
          },
          onReceiveStatus(ended, next) {
            report(outcome(ended.code, leftMs >= patienceMs));
            next(ended);
          },
        });
      },
    });
  };
}

function outcome(code: status, wasPatient: boolean): Outcome {
  if (code === status.CANCELLED) return "neutral"; // by us, or by whoever called us
  if (code === status.DEADLINE_EXCEEDED && !wasPatient) return "neutral";
  return FAILURES.includes(code) ? "failure" : "success";
}
