// Tells whoever runs the server about failures that are the server's own fault.

import type { Metadata, ServiceDefinition } from "@grpc/grpc-js";
import { logId, logStart } from "./log-line.ts";

/** Prints an error that a handler has thrown and that its client doesn't see. */
export function reportFailure(
  call: { readonly metadata: Metadata; getPath(): string },
  thrown: unknown,
): void {
  console.error(`${logStart(call.getPath())} ${logId(call.metadata)} failed:`, thrown);
}

/**
 * Returns `service` with serializers that report what they cannot serialize, such as a response
 * that lacks a field. grpc-js answers such a call with INTERNAL and prints nothing. Run `npm run
 * check` (or tsc) to find the cause: the types of a handler name every field.
 */
export function reporting(service: ServiceDefinition): ServiceDefinition {
  const methods = Object.entries(service).map(([name, method]) => {
    const responseSerialize = (response: unknown) => {
      try {
        return method.responseSerialize(response);
      } catch (error) {
        console.error(`${logStart(method.path)} cannot serialize the response:`, error);
        throw error;
      }
    };
    return [name, { ...method, responseSerialize }];
  });
  return Object.fromEntries(methods);
}
