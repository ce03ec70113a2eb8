// Server: answers questions about the health of services that it doesn't have.

import { type ServerInterceptor, status } from "@grpc/grpc-js";
import { HealthService } from "../../gen/grpc/health/v1/health.ts";
import { StatusError } from "../status-error.ts";
import { serverInterceptor } from "./server-interceptor.ts";

const MAX_SHOWN_CHARACTERS = 64;

/**
 * grpc-health-check keeps every name that was ever watched, and sends the name back if it doesn't
 * know it. So it sees only the `known` names. About others this says what the protocol wants:
 * NOT_FOUND for a Check, and for a Watch SERVICE_UNKNOWN, in a stream that stays open.
 */
export function healthNamesInterceptor(known: ReadonlySet<string>): ServerInterceptor {
  return serverInterceptor(({ path }, call) => {
    const isWatch = path === HealthService.watch.path;
    if (!isWatch && path !== HealthService.check.path) return {};
    return {
      start(next) {
        next({
          onReceiveMessage(request: { service: string }, next) {
            const { service } = request;
            if (known.has(service)) return next(request);
            if (!isWatch) {
              const shown = service.slice(0, MAX_SHOWN_CHARACTERS);
              throw new StatusError(status.NOT_FOUND, `health status unknown for service ${shown}`);
            }
            // The handler never learns of this call, and nothing keeps the name.
            call.sendMessage({ status: "SERVICE_UNKNOWN" }, () => {});
          },
        });
      },
    };
  });
}
