// Reads targets: what a channel dials. A target has one address, or a name for several.

import { addressProblem } from "./connection.ts";

/**
 * Returns what is wrong with a target, or undefined if it is valid. HOST:PORT is one server.
 * dns:HOST:PORT stands for all addresses of a name in the DNS, replicas:NAME for those in a file.
 */
export function targetProblem(target: string): string | undefined {
  if (/^replicas:[\w-]+$/.test(target)) return undefined;
  return addressProblem(target.replace(/^dns:/, ""));
}

/**
 * Returns the name that the server's certificate must be for. All servers behind a name have a
 * certificate for it.
 */
export function hostOf(target: string): string {
  return target
    .replace(/^(dns|replicas):/, "")
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "");
}
