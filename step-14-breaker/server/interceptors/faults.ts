// Server: makes some calls fail, so that you can see what their clients do. Off by default.

import { type ServerInterceptor, status } from "@grpc/grpc-js";
import { oneOf } from "../../../shared/terminal/values.ts";
import { StatusError } from "../status-error.ts";
import { serverInterceptor } from "./server-interceptor.ts";

export const faultVariables = {
  FAIL_PERCENT: { default: 0, max: 100, help: "makes so many of 100 unary calls fail" },
  FAULT: {
    default: "refuse",
    help: "how: refuse them, or do the work and lose the answer",
    problem: oneOf("refuse", "lose"),
  },
} as const;

interface Faults {
  readonly FAIL_PERCENT: number;
  readonly FAULT: string;
}

/**
 * Returns an interceptor that must be the last. Nothing is random: of 100 percent divided by
 * FAIL_PERCENT calls, the last one fails. With 50, that is every second call.
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
