// npm run abuse [-- ATTACK ...]: attacks step 07, bounded in count and time and on this machine only, and
// shows what became of it. A gentle client makes calls meanwhile.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { formatColumns } from "../../terminal/output.ts";
import { startServer } from "../../testing/servers.ts";
import { generateStale } from "../generate.ts";
import { courseRoot } from "../steps.ts";
import { type Attack, attackedStep, attacks } from "./attacks.ts";
import { ask, dial, field, memoryMiB, type Target } from "./hostile.ts";

const GENTLE_EVERY_MS = 20;
const MAX_GROWTH_MIB = 300; // What one attack may move the memory by, garbage included.
const GET_RYE = field(1, Buffer.from("rye"));

/** What became of one attack. */
export interface Damage {
  readonly name: string;
  readonly withstood: boolean;
  /** A line of the table: times, outcome, memory before and after, the gentle client's p99. */
  readonly cells: readonly string[];
}

/** Starts a server of step 07, and attacks it. */
export async function abuse(chosen: readonly Attack[]): Promise<Damage[]> {
  const scratch = mkdtempSync(join(tmpdir(), "course-abuse-"));
  const env = { CERTS: join(scratch, "certs"), KEYS: join(scratch, "keys") };
  const { MESSAGE_BYTES } = process.env;
  try {
    await using server = await startServer(attackedStep, {
      ...env,
      KEEPALIVE_MS: "1000",
      ...(MESSAGE_BYTES && { MESSAGE_BYTES }),
    });
    const ca = readFileSync(join(env.CERTS, "ca.pem"));
    const target = { server, ca, caFile: join(env.CERTS, "ca.pem"), token: newToken(env) };
    const damages: Damage[] = [];
    await gently(target, () => wait(500)); // Later calls don't wait for what is loaded only once.
    for (const attack of chosen) {
      damages.push(await damageOf(attack, target));
      if (server.program.exitCode !== undefined) break;
    }
    return damages;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function damageOf({ name, count, run }: Attack, target: Target): Promise<Damage> {
  const before = memoryMiB(target.server);
  let [outcome, withstood] = ["", true];
  const p99Ms = await gently(target, async () => {
    outcome = await run(target, count).catch((error: Error) => {
      withstood = false;
      return error.message.split("\n")[0] ?? "";
    });
  });
  const after = memoryMiB(target.server);
  withstood &&= !Number.isNaN(p99Ms) && !(after - before > MAX_GROWTH_MIB);
  const said = withstood ? outcome : `FAILED: ${outcome}`;
  const cells = [name, String(count), said, `${before} -> ${after}`, p99Ms.toFixed(0)];
  return { name, withstood, cells };
}

/** Makes calls while `act` runs. Returns their 99th percentile; NaN if one of them failed. */
async function gently(target: Target, act: () => Promise<unknown>): Promise<number> {
  using session = dial(target);
  const timer = new AbortController();
  const acting = act().finally(() => timer.abort());
  const times: number[] = [];
  do {
    const startedAt = performance.now();
    const outcome = await ask(session, "/bakery.v1.CatalogService/GetProduct", GET_RYE);
    times.push(outcome === "OK" ? performance.now() - startedAt : Number.NaN);
    await wait(GENTLE_EVERY_MS, undefined, { signal: timer.signal }).catch(() => {});
  } while (!timer.signal.aborted);
  await acting;
  if (times.some(Number.isNaN)) return Number.NaN;
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Number.NaN;
}

function newToken(env: NodeJS.ProcessEnv): string {
  const args = ["--import", "tsx/esm", join(attackedStep, "token.ts"), "--user", "eve"];
  const options = { cwd: courseRoot, env: { ...process.env, ...env }, encoding: "utf8" } as const;
  return spawnSync(process.execPath, [...args, "--role", "baker"], options).stdout.trim();
}

/** Returns the damages as a table. */
export function table(damages: readonly Damage[]): string {
  const head = ["attack", "times", "outcome", "memory MiB", "p99 ms"];
  return formatColumns([head, ...damages.map(({ cells }) => [...cells])]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  generateStale(courseRoot);
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !attacks.some((attack) => attack.name === name));
  if (unknown !== undefined) {
    const known = attacks.map(({ name }) => name).join(", ");
    console.error(`Usage: npm run abuse [-- ATTACK ...]\n\nThe attacks are ${known}.`);
    process.exit(2);
  }
  const chosen = attacks.filter(({ name }) => names.length === 0 || names.includes(name));
  const damages = await abuse(chosen);
  const withstood = damages.filter((damage) => damage.withstood).length;
  console.log(table(damages));
  console.log(`withstood ${withstood} of ${chosen.length} attacks`);
  process.exitCode = withstood === chosen.length ? 0 : 1;
}
