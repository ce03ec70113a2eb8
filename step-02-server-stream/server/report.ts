// Reports failures of the server itself to the people who run it.

import type { Metadata, ServiceDefinition } from "@grpc/grpc-js";

/** Prints an error whose text the client must not see. */
export function reportFailure(
  call: { readonly metadata: Metadata; getPath(): string },
  thrown: unknown,
): void {
  console.error(`${call.getPath()} failed:`, thrown);
}

/**
 * Returns the service with serializers that report what they can't serialize, such as a response
 * that lacks a field. On its own, grpc-js ends such a call with INTERNAL and prints nothing. To
 * find the cause, run `npx tsc --noEmit`: it names the field that is missing or has the wrong type.
 */
export function reporting(service: ServiceDefinition): ServiceDefinition {
  const methods = Object.entries(service).map(([name, method]) => {
    const responseSerialize = (response: unknown) => {
      try {
        return method.responseSerialize(response);
      } catch (error) {
        console.error(`${method.path}: cannot serialize the response:`, error);
        throw error;
      }
    };
    return [name, { ...method, responseSerialize }];
  });
  return Object.fromEntries(methods);
}
