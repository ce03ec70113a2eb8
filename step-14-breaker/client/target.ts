// Reads targets: what a channel dials. A target has one address, or a name for several.

import { addressProblem } from "./connection.ts";

/**
 * Returns what is wrong with a target, or undefined if it is valid: HOST:PORT, dns:HOST:PORT for all
 * addresses of a name in the DNS, or replicas:NAME for those in a file.
 */
export function targetProblem(target: string): string | undefined {
  if (/^replicas:[\w-]+$/.test(target)) return undefined;
  return addressProblem(target.replace(/^dns:/, ""));
}

/**
 * Returns the name that the server's certificate must be for. Behind a name are several servers, and
 * all have a certificate for that name.
 */
export function hostOf(target: string): string {
  return target
    .replace(/^(dns|replicas):/, "")
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "");
}
