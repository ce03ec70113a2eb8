// Measures what retries do, against servers that it starts itself, in less than a minute.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../shared/terminal/program.ts";
import { registerReplicas } from "./client/replicas.ts";
import { lost, refused, storm } from "./figures/one-server.ts";
import { newToken, type QuietServer, startQuietly } from "./figures/servers.ts";
import { killed, slow } from "./figures/three-servers.ts";

const folder = mkdtempSync(join(tmpdir(), "bakery-figures-"));
const servers: QuietServer[] = [];

async function start(file: string, env: NodeJS.ProcessEnv): Promise<QuietServer> {
  const server = await startQuietly(file, env);
  servers.push(server);
  return server;
}

const startCatalog = (env: NodeJS.ProcessEnv = {}) => start("catalog-server.ts", env);

async function main(): Promise<number> {
  const leader = await startCatalog(); // It makes the certificates.
  const service = { CATALOG_ADDRESS: leader.address, CATALOG_TOKEN: await newToken("service") };
  const [replica, slowReplica, flaky, failing, orders] = await Promise.all([
    startCatalog({ FOLLOW: leader.address }),
    startCatalog({ FOLLOW: leader.address, SLOW_MS: "200" }),
    startCatalog({ FAIL_PERCENT: "30" }),
    startCatalog({ FAIL_PERCENT: "100" }),
    start("orders-server.ts", { ...service, FAIL_PERCENT: "50", FAULT: "lose" }),
  ]);
  const list = join(folder, "replicas.json");
  const catalog = [leader, replica, slowReplica].map(({ address }) => address);
  writeFileSync(list, JSON.stringify({ catalog }));
  registerReplicas(list);

  const baker = await newToken("baker");
  // These three mostly wait, so they can be measured at the same time.
  for (const table of [refused(flaky), lost(orders, leader, baker), slow()]) {
    console.log(await table);
  }
  console.log(await storm(failing));
  console.log(await killed([replica, leader, slowReplica]));
  return 0;
}

process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
await runProgram(() => main().finally(() => servers.forEach(({ end }) => void end())));
