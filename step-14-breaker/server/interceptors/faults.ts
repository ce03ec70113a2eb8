// Server: makes some calls fail, so that you can see what their clients do. Off by default.

import { type ServerInterceptor, status } from "@grpc/grpc-js";
import { oneOf } from "../../../shared/terminal/values.ts";
import { StatusError } from "../status-error.ts";
import { serverInterceptor } from "./server-interceptor.ts";

export const faultVariables = {
  FAIL_PERCENT: { default: 0, max: 100, help: "how many of 100 unary calls fail, for lessons" },
  FAULT: {
    default: "refuse",
    help: "refuse: calls fail before any work; lose: after it, instead of the answer",
    problem: oneOf("refuse", "lose"),
  },
} as const;

interface Faults {
  readonly FAIL_PERCENT: number;
  readonly FAULT: string;
}

/**
 * Returns an interceptor that must be the last. Nothing is random: the calls that fail are spread
 * evenly. With FAIL_PERCENT=50, every second call fails.
 * @param mayFail says, by its path, whether a call may fail.
 */
export function faultsInterceptor(
  { FAIL_PERCENT, FAULT }: Faults,
  mayFail: (path: string) => boolean,
): ServerInterceptor {
  let percent = 0;
  return serverInterceptor(({ path, requestStream, responseStream }) => {
    if (requestStream || responseStream || !mayFail(path)) return {};
    percent += FAIL_PERCENT;
    if (percent < 100) return {};
    percent -= 100;
    const fail = () => {
      throw new StatusError(status.UNAVAILABLE, `FAULT=${FAULT}`);
    };
    if (FAULT === "refuse") return { start: (next) => next({ onReceiveMessage: fail }) };
    // Headers would be the beginning of an answer, and after that grpc-js repeats nothing.
    return { sendMetadata() {}, sendMessage: fail };
  });
}
