// Explains why a call failed, and what to check next.

import { type ServiceError, status } from "@grpc/grpc-js";

const FIRST_EXIT_CODE = 64; // as in grpcurl: 64 + the status code

export { isServiceError } from "../client/service-error.ts";

/** Returns `STATUS_NAME: details`, followed by the next thing to check if there is one. */
export function describeFailure({ code, details }: ServiceError): string {
  const cause = details.replace(/ Resolution note:\s*$/, "").replace(/\s+/g, " ");
  const hint = nextCheck(code, cause);
  return `${status[code]}: ${cause}${hint === undefined ? "" : ` (${hint})`}`;
}

/** Prints to standard error why a call failed, and returns the exit code. */
export function reportFailure(error: ServiceError): number {
  console.error(describeFailure(error));
  return FIRST_EXIT_CODE + error.code;
}

/** UNAVAILABLE and DEADLINE_EXCEEDED have many causes. grpc-js's details usually tell which. */
function nextCheck(code: status, cause: string): string | undefined {
  switch (code) {
    case status.UNAVAILABLE:
      return unavailableHints.find(([words]) => cause.includes(words))?.[1];
    case status.CANCELLED:
      return "if you did not cancel, the server has dropped the connection";
    case status.DEADLINE_EXCEEDED:
      // grpc-js reports where the time went. If it names no remote address, nothing was sent.
      return cause.includes("after") && !cause.includes("remote_addr")
        ? "the call was never sent; --deadline-ms says how long to wait"
        : "what the server did meanwhile is unknown; --deadline-ms says how long to wait";
    case status.UNAUTHENTICATED:
      return "BAKERY_TOKEN or --token says who you are; token.ts prints a new token";
    case status.UNIMPLEMENTED:
      return "is this the server of another service, or of an earlier step? it lacks this method";
    default:
      return undefined;
  }
}

/** The first entry whose words occur in the details applies. */
const unavailableHints: readonly (readonly [words: string, hint: string])[] = [
  ["ECONNREFUSED", "is the server running? which port does it listen on? which port do you dial?"],
  ["Name resolution failed", "is the host's name spelled right?"],
  ["altnames", "which names are in the server's certificate? CERT_NAMES sets them"],
  ["certificate has expired", "start the server again: it makes a new one"],
  ["certificate required", "the server asks for your certificate: --cert and --key"],
  ["certificate", "is --ca the CA that has signed the server's certificate?"],
  ["wrong version number", "the server speaks plaintext but you speak TLS: try --plaintext"],
  [
    "Failed to connect",
    "does the server speak TLS while you speak plaintext? or does it refuse your certificate?",
  ],
  ["ECONNRESET", "the server hung up: does it refuse your certificate?"],
  ["Protocol error", "is the program on that port a gRPC server?"],
  ["Connection dropped", "the server went away during the call; what it did is unknown"],
  ["Last error: undefined", "is a proxy set in the environment? no_proxy=127.0.0.1 bypasses it"],
];
