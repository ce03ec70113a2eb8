// Server: tells machines whether to send it calls.

import type { ServerInterceptor } from "@grpc/grpc-js";
import { HealthImplementation, type ServingStatusMap } from "grpc-health-check";
import { healthNamesInterceptor } from "./interceptors/health-names.ts";

type ServingStatus = ServingStatusMap[string];

export interface Health {
  /**
   * Sets the status of a service, and tells those who watch it if it has changed. Has no effect
   * once the server is draining.
   */
  setStatus(service: string, status: ServingStatus): void;
  addToServer: HealthImplementation["addToServer"];
  /** Must be one of the server's interceptors: it answers for unknown services. */
  readonly interceptor: ServerInterceptor;
}

/**
 * Sets everything to NOT_SERVING, for good, once `draining` aborts. Health is advisory: calls that
 * still arrive are served.
 * @param statuses the first status of each service; "" is the whole server.
 */
export function serverHealth(statuses: ServingStatusMap, draining: AbortSignal): Health {
  const health = new HealthImplementation(statuses);
  const current = { ...statuses };
  // grpc-health-check would send an unchanged status, too, and to clients that don't read.
  const change = (service: string, status: ServingStatus) => {
    if (current[service] !== status) health.setStatus(service, status);
    current[service] = status;
  };
  draining.addEventListener("abort", () => {
    for (const service of Object.keys(statuses)) change(service, "NOT_SERVING");
  });
  return {
    setStatus(service, status) {
      if (!draining.aborted) change(service, status);
    },
    interceptor: healthNamesInterceptor(new Set(Object.keys(statuses))),
    addToServer: (server) => health.addToServer(server),
  };
}
