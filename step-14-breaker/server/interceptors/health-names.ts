// Server: answers health checks of services that it doesn't have.

import { type ServerInterceptor, status } from "@grpc/grpc-js";
import { HealthService } from "../../gen/grpc/health/v1/health.ts";
import { StatusError } from "../status-error.ts";
import { serverInterceptor } from "./server-interceptor.ts";

const MAX_SHOWN_CHARACTERS = 64;

/**
 * grpc-health-check keeps every name that was ever watched, and echoes an unknown one. So it only
 * gets to see the `known` names. For others, this answers as the protocol requires: NOT_FOUND to a
 * Check, and to a Watch SERVICE_UNKNOWN in a stream that stays open.
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
            // The handler never sees this call, and nothing keeps the name.
            call.sendMessage({ status: "SERVICE_UNKNOWN" }, () => {});
          },
        });
      },
    };
  });
}
