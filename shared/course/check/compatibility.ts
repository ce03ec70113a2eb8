// Runs old clients against new servers, and prints what works and what fails.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { status } from "@grpc/grpc-js";
import { temporaryFolder } from "../../testing/cleanup.ts";
import { runClient, startServers } from "../../testing/servers.ts";
import { serversOf } from "../../testing/step-servers.ts";
import { generateStale } from "../generate.ts";
import { runScript } from "../script.ts";
import { courseRoot, listSteps } from "../steps.ts";

const USAGE = `Usage: npm run compatibility

Runs old clients against new servers, and prints what works: the table for the course's README.`;

const FIRST_EXIT_CODE = 64; // A client ends with 64 + the status code.
const DEADLINE_MS = "15000"; // Much longer than any call takes, even on a slow machine.

/** The commands to try, in order. Commands that a client doesn't have are skipped. */
const commands: readonly (readonly [name: string, ...args: string[]])[] = [
  ["get", "rye"],
  ["watch", "rye", "--count", "1"],
  ["restock", "rye=1"],
  ["order", "croissant=1"],
  ["track", "order-1"],
];

/**
 * Runs the clients of the first step in `root` and of the previous step against the servers of each step.
 * @returns a Markdown table with a row for each step.
 * @throws {Error} if a client ends with anything other than success or a status.
 */
export async function compatibilityTable(root: string): Promise<string> {
  const steps = listSteps(root).map(({ name }) => name);
  const rows: string[] = [];
  for (const [at, server] of steps.entries()) {
    const [first, before] = [steps[0], steps[at - 1]];
    if (first === undefined || before === undefined) continue;
    const cells = await tryClients(root, [first, before], server);
    rows.push(`| ${server.slice(5, 7)} | ${cells.join(" | ")} |`);
  }
  const header = "| Server of step | Client of step 01 | Client of the step before |";
  return [header, "| --- | --- | --- |", ...rows].join("\n");
}

async function tryClients(root: string, clients: string[], server: string): Promise<string[]> {
  using folder = temporaryFolder("pairs");
  // The settings of all steps: each program reads only those that it knows.
  const made = { KEYS: join(folder.path, "keys"), CERTS: join(folder.path, "certs") };
  const quick = { TILL_MS: "0", KITCHEN_MS: "10" };
  const step = join(root, server);
  const isAlone = serversOf(step).length === 1;
  const CATALOG_TOKEN = isAlone ? "" : await tokenOf("service", step, made); // for orders-server.ts
  await using running = await startServers(step, { ...made, ...quick, CATALOG_TOKEN });
  const BAKERY_TOKEN = await tokenOf("baker", step, made);
  const env = { ...made, ...running.env, BAKERY_CA: join(made.CERTS, "ca.pem"), BAKERY_TOKEN };
  return await Promise.all(clients.map((client) => tryCommands(join(root, client), env)));
}

/** Returns `all` if all commands work; otherwise those that do, and the statuses of the others. */
async function tryCommands(client: string, env: NodeJS.ProcessEnv): Promise<string> {
  const ended: (readonly [command: string, status: string])[] = [];
  for (const [command, ...args] of commands) {
    const words = [command, ...args, "--deadline-ms", DEADLINE_MS];
    const { exitCode, stdout, stderr } = await runClient(client, words, env);
    const isMissing = exitCode === 2 && !stderr.includes(`\n  ${command} `); // in its usage
    if (isMissing) continue;
    const name = exitCode === 0 ? "OK" : status[exitCode - FIRST_EXIT_CODE];
    if (name !== undefined) ended.push([command, name]);
    else throw new Error(`${client}: ${command} ended with ${exitCode}:\n${stdout}${stderr}`);
  }
  const working = ended.filter(([, name]) => name === "OK").map(([command]) => command);
  if (working.length === ended.length) return "all";
  const refused = new Set(ended.map(([, name]) => name).filter((name) => name !== "OK"));
  const lists = [working.join(", "), [...refused].join(", ")];
  return lists.filter(Boolean).join("; ");
}

/**
 * Returns a token from the token program of the step in `folder`; undefined if the step has no tokens.
 * @throws {Error} if its token program fails.
 */
export async function tokenOf(
  role: "baker" | "service",
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  if (!existsSync(join(folder, "token.ts"))) return undefined;
  const args = ["--user", "ada", "--role", role];
  const { stdout, stderr, exitCode } = await runClient(folder, args, env, "token.ts");
  if (exitCode !== 0) throw new Error(`${folder}/token.ts failed: ${stderr}`);
  return stdout.trim();
}

// npm run compatibility
if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await runScript(USAGE, async () => {
    parseArgs(); // It takes no arguments.
    generateStale(courseRoot);
    console.log(await compatibilityTable(courseRoot));
    return 0;
  });
}
