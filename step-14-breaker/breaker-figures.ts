// Measures what breaker and outlier detection do, with its own servers, in less than a minute.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../shared/terminal/program.ts";
import { registerReplicas } from "./client/replicas.ts";
import { ejecting, type HangingShop, hanging, refusing } from "./figures/breaker.ts";
import { newToken, type QuietServer, startQuietly } from "./figures/servers.ts";

const folder = mkdtempSync(join(tmpdir(), "bakery-figures-"));
const servers: QuietServer[] = [];

async function start(file: string, env: NodeJS.ProcessEnv = {}): Promise<QuietServer> {
  const server = await startQuietly(file, env);
  servers.push(server);
  return server;
}

async function main(): Promise<number> {
  const leader = await start("catalog-server.ts"); // It makes the certificates.
  const CATALOG_TOKEN = await newToken("service");
  const startShop = async (name: string, BREAKER_MS: string): Promise<HangingShop> => {
    const catalog = await start("catalog-server.ts", { SLOW_MS: "60000" });
    const env = { CATALOG_ADDRESS: catalog.address, CATALOG_TOKEN, CATALOG_MS: "1000", BREAKER_MS };
    return { name, catalog, orders: await start("orders-server.ts", env) };
  };
  const [second, failing, ...shops] = await Promise.all([
    start("catalog-server.ts", { FOLLOW: leader.address }),
    start("catalog-server.ts", { FOLLOW: leader.address, FAIL_PERCENT: "100" }),
    startShop("without a breaker", "0"),
    startShop("with a breaker", "5000"),
  ]);
  const list = join(folder, "replicas.json");
  const catalog = [leader, second, failing].map(({ address }) => address);
  writeFileSync(list, JSON.stringify({ catalog }));
  registerReplicas(list);

  console.log(await refusing());
  // These two mostly wait, so they can be measured at the same time.
  const tables = [hanging(shops, await newToken("customer")), ejecting()];
  for (const table of tables) console.log(await table);
  return 0;
}

process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
await runProgram(() => main().finally(() => servers.forEach(({ end }) => void end())));
