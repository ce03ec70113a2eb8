// Server: tells machines whether to send calls here.

import type { ServerInterceptor } from "@grpc/grpc-js";
import { HealthImplementation, type ServingStatusMap } from "grpc-health-check";
import { healthNamesInterceptor } from "./interceptors/health-names.ts";

type ServingStatus = ServingStatusMap[string];

export interface Health {
  /** Sets the status of a service. Has no effect once the server is draining. */
  setStatus(service: string, status: ServingStatus): void;
  addToServer: HealthImplementation["addToServer"];
  /** Must be among the server's interceptors: it answers for services that aren't there. */
  readonly interceptor: ServerInterceptor;
}

/**
 * Says NOT_SERVING for everything once `draining` aborts, for good. Health is advisory: calls that
 * still arrive are served.
 * @param statuses what to say at first; "" stands for the server as a whole.
 */
export function serverHealth(statuses: ServingStatusMap, draining: AbortSignal): Health {
  const health = new HealthImplementation(statuses);
  draining.addEventListener("abort", () => {
    for (const service of Object.keys(statuses)) health.setStatus(service, "NOT_SERVING");
  });
  return {
    setStatus(service, status) {
      if (!draining.aborted) health.setStatus(service, status);
    },
    interceptor: healthNamesInterceptor(new Set(Object.keys(statuses))),
    addToServer: (server) => health.addToServer(server),
  };
}
