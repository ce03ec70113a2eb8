// Finds the servers of a step, and names the environment variables that hold their addresses.

import { readdirSync } from "node:fs";

/** A server in a step's folder: `server.ts`, or for instance `orders-server.ts` if there are several. */
export interface StepServer {
  readonly file: string;
  /** The environment variable for its address: BAKERY_ADDRESS, or ORDERS_ADDRESS. */
  readonly variable: string;
}

/**
 * Returns the servers of the step in `folder`, in order of name. If there are several, `server.ts` is not
 * one of them: it starts the others.
 */
export function serversOf(folder: string): StepServer[] {
  const servers = readdirSync(folder)
    .sort()
    .flatMap((file) => {
      const [found, name = "bakery"] = /^(?:(.+)-)?server\.ts$/.exec(file) ?? [];
      if (found === undefined) return [];
      return [{ file, variable: `${name.replaceAll("-", "_").toUpperCase()}_ADDRESS` }];
    });
  const named = servers.filter(({ file }) => file !== "server.ts");
  return named.length > 0 ? named : servers;
}

/**
 * Returns the variables that tell programs where servers listen: ORDERS_ADDRESS for `orders-server.ts`,
 * and BAKERY_ADDRESS for the first server or the only one.
 */
export function addressVariables(
  servers: readonly (readonly [server: StepServer, address: string])[],
): NodeJS.ProcessEnv {
  return {
    BAKERY_ADDRESS: servers[0]?.[1],
    ...Object.fromEntries(servers.map(([{ variable }, address]) => [variable, address])),
  };
}
