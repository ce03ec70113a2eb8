// Keeps clients' secrets out of grpc-js's own log.

import { setLogger } from "@grpc/grpc-js";

/**
 * Replaces grpc-js's logger with one that prints the same lines to the same place, but hides the
 * values of headers that grpc-js can't read: they may be passwords or tokens.
 */
export function redactGrpcLog(): void {
  const printAs =
    (letter: string) =>
    (message: unknown, ...rest: unknown[]) =>
      console.error(`${letter} ${redacted(String(message))}`, ...rest);
  setLogger({ error: printAs("E"), info: printAs("I"), debug: printAs("D") });
}

function redacted(line: string): string {
  const [, start] = /^(Failed to add metadata entry [^:]{1,64})/.exec(line) ?? [];
  return start === undefined ? line : `${start}: its value can't be read, and is not shown`;
}
