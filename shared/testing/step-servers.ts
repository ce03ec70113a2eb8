// The servers of a step, and the environment variables that hold their addresses.

import { readdirSync } from "node:fs";

/** A server at a step's top: `server.ts`, or `orders-server.ts` where there are several. */
export interface StepServer {
  readonly file: string;
  /** The environment variable for its address: BAKERY_ADDRESS, or ORDERS_ADDRESS. */
  readonly variable: string;
}

/**
 * Returns the servers of the step in `folder`, in the order of their names. Beside several servers, a
 * `server.ts` is none: it starts the others.
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
 * Tells programs where servers listen: `orders-server.ts` at ORDERS_ADDRESS, and the first of them, or
 * the only one, at BAKERY_ADDRESS.
 */
export function addressVariables(
  servers: readonly (readonly [server: StepServer, address: string])[],
): NodeJS.ProcessEnv {
  return {
    BAKERY_ADDRESS: servers[0]?.[1],
    ...Object.fromEntries(servers.map(([{ variable }, address]) => [variable, address])),
  };
}
