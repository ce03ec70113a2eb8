// Starts the bakery's servers, each as a process of its own, and ends them together.

import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ExpectedError, runProgram } from "../shared/terminal/program.ts";
import { readSettings } from "../shared/terminal/settings.ts";

const folder = import.meta.dirname;

async function main(): Promise<number> {
  const settings = readSettings({
    PORT: { default: 50051, min: 1, max: 65535, help: "the catalog's port" },
    METRICS_PORT: { default: "9464", help: "the port of the catalog's /metrics, or off" },
    ORDERS_PORT: { default: 50052, min: 1, max: 65535, help: "the orders' port" },
    ORDERS_METRICS_PORT: { default: "9465", help: "the port of the orders' /metrics, or off" },
    CATALOG_TOKEN: { default: "", help: "the orders' token; by default, a new one" },
  });
  const { PORT, METRICS_PORT, ORDERS_PORT, ORDERS_METRICS_PORT } = settings;
  const children = [
    start("catalog", { PORT: `${PORT}`, METRICS_PORT, CATALOG_TOKEN: "" }),
    start("orders", {
      PORT: `${ORDERS_PORT}`,
      METRICS_PORT: ORDERS_METRICS_PORT,
      CATALOG_ADDRESS: process.env.CATALOG_ADDRESS || `127.0.0.1:${PORT}`,
      CATALOG_TOKEN: settings.CATALOG_TOKEN || newToken(),
    }),
  ];
  // A terminal sends Ctrl+C to all three processes. Passing the signal on would make two of it.
  const endAll = () => {
    for (const child of children) if (child.connected) child.disconnect();
  };
  process.once("SIGINT", endAll).once("SIGTERM", endAll);
  const exitCodes = children.map(async (child) => {
    const [code] = await once(child, "exit");
    endAll(); // One alone is of no use.
    return Number(code ?? 1);
  });
  return Math.max(...(await Promise.all(exitCodes)));
}

/** Starts NAME-server.ts. Its environment is ours and `env`; its lines begin with its name. */
function start(name: string, env: NodeJS.ProcessEnv): ChildProcess {
  const child = fork(join(folder, `${name}-server.ts`), {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ] as const) {
    if (from === null) continue;
    const lines = createInterface({ input: from });
    const prefix = name.padEnd(9);
    lines.on("line", (line) => to.write(`${prefix}${line}\n`));
  }
  return child;
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
