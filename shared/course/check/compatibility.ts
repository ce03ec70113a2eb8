// Old clients against new servers: what works, and what is refused, as a table in the course's README.
// npm run compatibility says whether the table is true; with -- --update it writes the table anew.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { status } from "@grpc/grpc-js";
import { generateStale } from "../generate.ts";
import { courseRoot, listSteps, type Step } from "../steps.ts";
import { startProgram, startServer } from "./servers.ts";

const USAGE = "Usage: npm run compatibility [-- --update]";
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

/** What a client of one step came to with the server of another. */
export interface Trial {
  readonly client: Step;
  readonly server: Step;
  /** Each command, and the name of the status that it ended with: OK if it worked. */
  readonly outcomes: readonly (readonly [command: string, status: string])[];
}

/**
 * Runs the clients of all steps in `root` against the servers of all later ones.
 * @throws {Error} for a client that ends with anything else than success or a status.
 */
export async function tryAllPairs(root: string): Promise<Trial[]> {
  const steps = listSteps(root);
  const trials: Trial[] = [];
  const servers = steps.slice(1).reverse(); // The last has the most clients: it comes first.
  const tryServers = async () => {
    for (let server = servers.shift(); server !== undefined; server = servers.shift()) {
      const { number } = server;
      const clients = steps.filter((client) => client.number < number);
      trials.push(...(await tryClients(root, clients, server)));
    }
  };
  await Promise.all(Array.from({ length: SERVERS_AT_ONCE }, tryServers));
  return trials;
}

async function tryClients(root: string, clients: readonly Step[], server: Step): Promise<Trial[]> {
  const folder = mkdtempSync(join(tmpdir(), "course-pairs-"));
  // The settings of every step together: a program reads those that it knows.
  const made = { KEYS: join(folder, "own", "keys"), CERTS: join(folder, "own", "certs") };
  const quick = { TILL_MS: "0", KITCHEN_MS: "10" };
  try {
    mkdirSync(join(folder, "own"));
    await using running = await startServer(join(root, server.name), { ...made, ...quick });
    const env = {
      ...made,
      BAKERY_ADDRESS: running.address,
      BAKERY_CA: join(made.CERTS, "ca.pem"),
      BAKERY_TOKEN: await bakersToken(join(root, server.name), made),
    };
    const trials: Trial[] = [];
    for (const client of clients) {
      trials.push({ client, server, outcomes: await tryCommands(root, client, env) });
      if (running.program.exitCode === undefined) continue;
      const output = running.program.output();
      throw new Error(`the client of ${client.name} ends the server of ${server.name}:\n${output}`);
    }
    return trials;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function tryCommands(
  root: string,
  client: Step,
  env: NodeJS.ProcessEnv,
): Promise<Trial["outcomes"]> {
  const lines = commands.map((words) =>
    JSON.stringify([...words, "--deadline-ms", String(DEADLINE_MS)]),
  );
  const session = [join(root, client.name, "client.ts"), ...lines];
  const output = await printed(import.meta.dirname, "client-session.ts", session, env);
  const runs = output.split(/^ended (\S+)\n/m);
  const outcomes = commands.flatMap(([command], at): Trial["outcomes"] => {
    const [text = "", exitCode] = runs.slice(2 * at);
    const usage = exitCode === "2" && text.includes("\nUsage: ");
    if (usage && !text.includes(`\n  ${command} `)) return []; // Its usage text does not list it.
    const ended = exitCode === "0" ? "OK" : status[Number(exitCode) - FIRST_EXIT_CODE];
    if (ended !== undefined) return [[command, ended]];
    throw new Error(`the client of ${client.name} ends with exit code ${exitCode}:\n${text}`);
  });
  if (outcomes.length > 0) return outcomes;
  throw new Error(
    `the client of ${client.name} has none of the commands that are tried:\n${output}`,
  );
}

/** A token as the server's step prints it; empty if it has no tokens. */
async function bakersToken(folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  if (!existsSync(join(folder, "token.ts"))) return "";
  const args = ["--user", "ada", "--role", "baker"];
  return (await printed(folder, "token.ts", args, env)).trim();
}

async function printed(
  folder: string,
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const program = startProgram(folder, file, args, env);
  try {
    const ended = await program.ends(commands.length * DEADLINE_MS);
    if (ended && program.exitCode === 0) return program.output();
    throw new Error(`${join(folder, file)} ${args.join(" ")} failed:\n${program.output()}`);
  } finally {
    await program.stop();
  }
}

/** What the steps know about a status: a word for the table, and what it is about. */
const refusals: Readonly<Record<string, readonly [word: string, meaning: string]>> = {
  UNAUTHENTICATED: ["no token", "the server asks who calls, and this client cannot tell"],
  UNAVAILABLE: ["no TLS", "the server speaks TLS, and this client does not"],
};

/** The table of what the trials came to, in Markdown: a row for each client, and what its words mean. */
export function compatibilityTable(trials: readonly Trial[]): string[] {
  const numbers = (steps: Step[]) =>
    [...new Set(steps.map(({ number }) => number))].sort((a, b) => a - b);
  const label = (step: number) => String(step).padStart(2, "0");
  const servers = numbers(trials.map(({ server }) => server));
  const rows = numbers(trials.map(({ client }) => client)).map((client) => {
    const cells = servers.map((server) => {
      const trial = trials.find(
        (tried) => tried.client.number === client && tried.server.number === server,
      );
      return trial === undefined ? " " : ` ${cell(trial)} `;
    });
    return `| client ${label(client)} |${cells.join("|")}|`;
  });
  const met = new Set(trials.flatMap(({ outcomes }) => outcomes.map(([, ended]) => ended)));
  const legend = Object.entries(refusals)
    .filter(([name]) => met.has(name))
    .map(([name, [word, meaning]]) => `- **${word}**: ${name}; ${meaning}.`);
  return [
    `| | ${servers.map((server) => `server ${label(server)}`).join(" | ")} |`,
    `| ---${" | ---".repeat(servers.length)} |`,
    ...rows,
    "",
    "- **all**: every command that this client has works.",
    ...legend,
  ];
}

/** `all`, or the commands that work and why the others do not. */
function cell({ outcomes }: Trial): string {
  const working = outcomes.flatMap(([command, ended]) => (ended === "OK" ? [command] : []));
  if (working.length === outcomes.length) return "all";
  const failed = outcomes.map(([, ended]) => ended).filter((ended) => ended !== "OK");
  const why = [...new Set(failed)].map((ended) => refusals[ended]?.[0] ?? ended).join(", ");
  return working.length === 0 ? why : `${working.join(", ")}; ${why}`;
}

/**
 * The text of a README with `table` between its markers.
 * @throws {Error} if the markers do not stand in it, each once.
 */
export function putTable(readme: string, table: readonly string[]): string {
  const lines = readme.split("\n");
  const [from, to] = [lines.indexOf(BEGIN), lines.indexOf(END)];
  const once = from === lines.lastIndexOf(BEGIN) && to === lines.lastIndexOf(END);
  if (from < 0 || to < from || !once) {
    throw new Error(`README.md: must hold these two lines, once:\n${BEGIN}\n${END}`);
  }
  return lines.toSpliced(from + 1, to - from - 1, "", ...table, "").join("\n");
}

/** The first line of the table that is not what the run gave, and what to do; empty if all are. */
export function tableProblem(readme: string, table: readonly string[]): string {
  const [said, real] = [readme.split("\n"), putTable(readme, table).split("\n")];
  const at = real.findIndex((line, index) => line !== said[index]);
  if (at < 0) return "";
  return (
    `README.md:${at + 1}: old clients against new servers have come to something else:\n` +
    `  README  ${said[at]}\n  run     ${real[at]}\n` +
    "If that is meant, npm run compatibility -- --update writes it."
  );
}

// npm run compatibility
if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    const update = readArguments();
    generateStale(courseRoot);
    const file = join(courseRoot, "README.md");
    const readme = readFileSync(file, "utf8").replaceAll("\r\n", "\n");
    const table = compatibilityTable(await tryAllPairs(courseRoot));
    const problem = tableProblem(readme, table);
    if (update) writeFileSync(file, putTable(readme, table));
    console.log(table.join("\n"));
    if (problem !== "" && !update) throw new Error(`\n${problem}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode ??= 1;
  }
}

function readArguments(): boolean {
  try {
    return parseArgs({ options: { update: { type: "boolean", default: false } } }).values.update;
  } catch (error) {
    process.exitCode = 2;
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}
