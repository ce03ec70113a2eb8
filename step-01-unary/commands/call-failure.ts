// What the command line says when a call fails, and the exit code it ends with.

import { type ServiceError, status } from "@grpc/grpc-js";

const FIRST_EXIT_CODE = 64; // as grpcurl does: 64 + the status code

/** True for what grpc-js hands to a client when a call ends with any other status than OK. */
export function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && "code" in thrown && "details" in thrown;
}

/** `STATUS_NAME: details`, and what to check next. */
export function describeFailure({ code, details }: ServiceError): string {
  const cause = details.replace(/ Resolution note:\s*$/, "");
  const hint = nextCheck(code, cause);
  return `${status[code]}: ${cause}${hint === undefined ? "" : ` (${hint})`}`;
}

/** Says on standard error why a call has failed, and gives the exit code. */
export function reportFailure(error: ServiceError): number {
  console.error(describeFailure(error));
  return FIRST_EXIT_CODE + error.code;
}

/** UNAVAILABLE and DEADLINE_EXCEEDED have many causes. What grpc-js says of them tells which. */
function nextCheck(code: status, cause: string): string | undefined {
  switch (code) {
    case status.UNAVAILABLE:
      return unavailableHints.find(([words]) => cause.includes(words))?.[1];
    case status.CANCELLED:
      return "if you did not cancel, the server has dropped the connection";
    case status.DEADLINE_EXCEEDED:
      // grpc-js on our side tells what the time went by with. Without an address, nothing was sent.
      return cause.includes("after") && !cause.includes("remote_addr")
        ? "the call was never sent; --deadline-ms says how long to wait"
        : "what the server did meanwhile is unknown; --deadline-ms says how long to wait";
    case status.UNIMPLEMENTED:
      return "is this the server of an earlier step? it does not have this method";
    default:
      return undefined;
  }
}

/** The first whose words occur counts. */
const unavailableHints: readonly (readonly [words: string, hint: string])[] = [
  ["ECONNREFUSED", "is the server running? which port does it listen on? which port do you dial?"],
  ["Name resolution failed", "is the host's name spelled right?"],
  ["Failed to connect", "does the server speak TLS? from step 06 on they do"],
  ["Protocol error", "is it a gRPC server that listens there?"],
  ["Connection dropped", "the server went away during the call; what it did is unknown"],
  [
    "Last error: undefined",
    "is there a proxy in the environment? no_proxy=127.0.0.1 goes around it",
  ],
];
