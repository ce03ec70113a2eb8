// Starts the bakery's servers, each as a process of its own, and ends them together.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ExpectedError, runProgram } from "../shared/terminal/program.ts";
import { readSettings } from "../shared/terminal/settings.ts";
import { readReplicas, replicasFile } from "./client/replicas.ts";
import { hostOf } from "./client/target.ts";
import { type Child, startChild } from "./server/child.ts";

const folder = import.meta.dirname;

async function main(): Promise<number> {
  const settings = readSettings({
    REPLICAS: {
      default: "",
      help: "the file of the catalog's servers; by default replicas.json here",
    },
    METRICS_PORT: { default: "9464", help: "the port of the leader's /metrics, or off" },
    ORDERS_PORT: { default: 50052, min: 1, max: 65535, help: "the orders' port" },
    ORDERS_METRICS_PORT: { default: "9465", help: "the port of the orders' /metrics, or off" },
    CATALOG_TOKEN: { default: "", help: "the orders' token; by default, a new one" },
  });
  const children: Child[] = [];
  // A terminal sends Ctrl+C to all processes. Passing the signal on would make two of it.
  let ending = false;
  const endAll = () => {
    ending = true;
    for (const child of children) child.end();
  };
  process.once("SIGINT", endAll).once("SIGTERM", endAll);
  const start = (name: string, file: string, env: NodeJS.ProcessEnv) => {
    const child = startChild(join(folder, file), env, name.padEnd(11));
    children.push(child);
    // One that can't start is a mistake. One that ends later leaves the others as they are.
    void child.listening.then((listens) => listens || endAll());
    return child.listening;
  };

  // The first address is the leader's. The others follow it.
  const [leader = "", ...others] = readReplicas(settings.REPLICAS || replicasFile, "catalog");
  const startCatalog = (name: string, address: string, env: NodeJS.ProcessEnv) => {
    const at = { HOST: hostOf(address), PORT: address.split(":").at(-1) };
    return start(name, "catalog-server.ts", { ...at, CATALOG_TOKEN: "", ...env });
  };
  const { METRICS_PORT } = settings;
  const catalogs = await Promise.all([
    startCatalog("catalog", leader, { METRICS_PORT, FOLLOW: "" }),
    ...others.map((address, at) =>
      startCatalog(`catalog-${at + 2}`, address, {
        METRICS_PORT: "0",
        FOLLOW: leader,
      }),
    ),
  ]);
  if (catalogs.every(Boolean) && !ending) {
    start("orders", "orders-server.ts", {
      PORT: `${settings.ORDERS_PORT}`,
      METRICS_PORT: settings.ORDERS_METRICS_PORT,
      CATALOG_ADDRESS: process.env.CATALOG_ADDRESS || leader,
      CATALOG_TOKEN: settings.CATALOG_TOKEN || newToken(),
    });
  }
  return Math.max(...(await Promise.all(children.map(({ ended }) => ended))));
}

/** Returns a token for the orders server, as token.ts prints it. */
function newToken(): string {
  const args = ["--user", "orders", "--role", "service", "--ttl", "24h"];
  const { stdout, status } = spawnSync(
    process.execPath,
    [...process.execArgv, join(folder, "token.ts"), ...args],
    { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  );
  if (status !== 0) throw new ExpectedError("token.ts printed no token for the orders' server");
  return stdout.trim();
}

await runProgram(main);
