// Old clients against new servers: what works, and what is refused, as a table in the course's README.
// npm run compatibility says whether the table is true; with -- --update it writes the table anew.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { status } from "@grpc/grpc-js";
import { generateStale } from "../generate.ts";
import { temporaryFolder } from "../play/cleanup.ts";
import { runScript } from "../script.ts";
import { courseRoot, listSteps, type Step } from "../steps.ts";
import { runClient, startServers } from "./servers.ts";

const USAGE = `Usage: npm run compatibility [-- --update]

Runs old clients against new servers, and says where the table in README.md is wrong.

  --update   writes the table`;

const BEGIN = "<!-- compatibility: npm run compatibility -- --update writes this -->";
const END = "<!-- end of compatibility -->";

const FIRST_EXIT_CODE = 64; // A client ends with 64 + the status code.
const DEADLINE_MS = 15_000; // Much more than any call takes: a busy machine is not a refusal.
const SERVERS_AT_ONCE = 2;

/** What is tried, in this order. A client is asked only for the commands that it has. */
const commands: readonly (readonly [name: string, ...args: string[]])[] = [
  ["get", "rye"],
  ["watch", "rye", "--count", "1"],
  ["restock", "rye=1"],
  ["order", "croissant=1"],
  ["track", "order-1"],
];

/** What a client of one step came to with the servers of another. */
export interface Trial {
  readonly client: Step;
  readonly server: Step;
  /** Each command, and the name of the status that it ended with: OK if it worked. */
  readonly outcomes: readonly (readonly [command: string, status: string])[];
}

/**
 * Runs the client of the first step in `root`, and of the step before, against the servers of each step.
 * @throws {Error} for a client that ends with anything else than success or a status.
 */
export async function tryPairs(root: string): Promise<Trial[]> {
  const steps = listSteps(root);
  const trials: Trial[] = [];
  for (let at = 1; at < steps.length; at += SERVERS_AT_ONCE) {
    const servers = [...steps.entries()].slice(at, at + SERVERS_AT_ONCE);
    const tried = servers.map(([number, server]) => {
      const clients = steps.filter((_, client) => client === 0 || client === number - 1);
      return tryClients(root, clients, server);
    });
    trials.push(...(await Promise.all(tried)).flat());
  }
  return trials;
}

async function tryClients(root: string, clients: readonly Step[], server: Step): Promise<Trial[]> {
  using folder = temporaryFolder("pairs");
  const own = join(folder.path, "own");
  mkdirSync(own);
  // The settings of every step together: a program reads those that it knows.
  const made = { KEYS: join(own, "keys"), CERTS: join(own, "certs") };
  const quick = { TILL_MS: "0", KITCHEN_MS: "10" };
  await using running = await startServers(join(root, server.name), { ...made, ...quick });
  const env = {
    ...made,
    ...running.env,
    BAKERY_CA: join(made.CERTS, "ca.pem"),
    BAKERY_TOKEN: await bakersToken(join(root, server.name), made),
  };
  const trials: Trial[] = [];
  for (const client of clients) {
    trials.push({ client, server, outcomes: await tryCommands(root, client, env) });
    const ended = running.servers.find(({ program }) => program.exitCode !== undefined);
    if (ended === undefined) continue;
    const output = ended.program.output();
    throw new Error(`the client of ${client.name} ends a server of ${server.name}:\n${output}`);
  }
  return trials;
}

async function tryCommands(
  root: string,
  client: Step,
  env: NodeJS.ProcessEnv,
): Promise<Trial["outcomes"]> {
  const outcomes: (readonly [command: string, status: string])[] = [];
  for (const [command, ...args] of commands) {
    const words = [command, ...args, "--deadline-ms", String(DEADLINE_MS)];
    const { exitCode, stdout, stderr } = await runClient(join(root, client.name), words, env);
    const isMissing = exitCode === 2 && !stderr.includes(`\n  ${command} `); // in its usage
    if (isMissing) continue;
    const ended = exitCode === 0 ? "OK" : status[exitCode - FIRST_EXIT_CODE];
    if (ended === undefined) {
      const output = `${stdout}${stderr}`;
      throw new Error(`the client of ${client.name} ends with exit code ${exitCode}:\n${output}`);
    }
    outcomes.push([command, ended]);
  }
  if (outcomes.length > 0) return outcomes;
  throw new Error(`the client of ${client.name} has none of the commands that are tried`);
}

/** Returns a token as the step in `folder` prints it; empty if it has no tokens. */
async function bakersToken(folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  if (!existsSync(join(folder, "token.ts"))) return "";
  const args = ["--user", "ada", "--role", "baker"];
  const { exitCode, stdout, stderr } = await runClient(folder, args, env, "token.ts");
  if (exitCode === 0) return stdout.trim();
  throw new Error(`${join(folder, "token.ts")} failed:\n${stderr}`);
}

/** The statuses that steps introduce: a word for the table, and what it means. */
const refusals: Readonly<Record<string, readonly [word: string, meaning: string]>> = {
  UNAUTHENTICATED: ["no token", "the server asks who is calling, and this client cannot say"],
  UNAVAILABLE: ["no TLS", "the server speaks TLS, and this client does not"],
};

/** Returns the table of the trials in Markdown: a row for each server, and what its words mean. */
export function compatibilityTable(trials: readonly Trial[]): string[] {
  const label = (step: number) => String(step).padStart(2, "0");
  const servers = [...new Set(trials.map(({ server }) => server.number))].sort((a, b) => a - b);
  const rows = servers.map((number) => {
    const tried = trials.filter(({ server }) => server.number === number);
    const first = tried.find(({ client }) => client.number === 1);
    const before = tried.find(({ client }) => client.number === number - 1);
    return `| ${label(number)} | ${cell(first)} | ${cell(before)} |`;
  });
  const met = new Set(trials.flatMap(({ outcomes }) => outcomes.map(([, ended]) => ended)));
  const legend = Object.entries(refusals)
    .filter(([name]) => met.has(name))
    .map(([name, [word, meaning]]) => `- **${word}**: ${name}; ${meaning}.`);
  return [
    "| Server of step | Client of step 01 | Client of the step before |",
    "| --- | --- | --- |",
    ...rows,
    "",
    "- **all**: every command that this client has works.",
    ...legend,
  ];
}

/** Returns `all`, or the commands that work and why the others fail. */
function cell(trial: Trial | undefined): string {
  const outcomes = trial?.outcomes ?? [];
  const working = outcomes.flatMap(([command, ended]) => (ended === "OK" ? [command] : []));
  if (working.length === outcomes.length) return "all";
  const failed = outcomes.map(([, ended]) => ended).filter((ended) => ended !== "OK");
  const why = [...new Set(failed)].map((ended) => refusals[ended]?.[0] ?? ended).join(", ");
  return working.length === 0 ? why : `${working.join(", ")}; ${why}`;
}

/**
 * Returns the text of a README with `table` between its markers.
 * @throws {Error} if the markers are not in it.
 */
export function putTable(readme: string, table: readonly string[]): string {
  const [from, to] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (from < 0 || to < from) {
    throw new Error(`README.md: must hold these two lines:\n${BEGIN}\n${END}`);
  }
  const place = `${BEGIN}\n\n${table.join("\n")}\n\n`;
  return `${readme.slice(0, from)}${place}${readme.slice(to)}`;
}

/** Returns the first line of the table that is not true, and what to do; empty if all are. */
export function tableProblem(readme: string, table: readonly string[]): string {
  const said = readme.split("\n");
  const real = putTable(readme, table).split("\n");
  const at = real.findIndex((line, index) => line !== said[index]);
  if (at < 0) return "";
  return (
    `README.md:${at + 1}: old clients and new servers behave differently:\n` +
    `  README  ${said[at]}\n  run     ${real[at]}\n` +
    "If that is intended, npm run compatibility -- --update writes it."
  );
}

// npm run compatibility
if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await runScript(USAGE, async () => {
    const { values } = parseArgs({ options: { update: { type: "boolean", default: false } } });
    generateStale(courseRoot);
    const file = join(courseRoot, "README.md");
    const readme = readFileSync(file, "utf8").replaceAll("\r\n", "\n");
    const table = compatibilityTable(await tryPairs(courseRoot));
    console.log(`${table.join("\n")}\n`);
    if (values.update) writeFileSync(file, putTable(readme, table));
    const problem = values.update ? "" : tableProblem(readme, table);
    if (problem !== "") console.error(problem);
    return problem === "" ? 0 : 1;
  });
}
