// npm run abuse [-- ATTACK ...]: attacks step 07, bounded in count and time and on this machine only, and
// shows what became of it. A gentle client makes calls meanwhile.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { formatColumns } from "../../terminal/output.ts";
import { generateStale } from "../generate.ts";
import { courseRoot } from "../steps.ts";
import { type Attack, attackedStep, attacks } from "./attacks.ts";
import { ask, dial, memoryMiB, type Target } from "./hostile.ts";
import { startServer } from "./servers.ts";

const GENTLE_EVERY_MS = 20;
const GET_RYE = Buffer.from([0x0a, 0x03, 0x72, 0x79, 0x65]);

/** What became of one attack. */
export interface Damage {
  readonly attack: string;
  readonly count: number;
  readonly outcome: string;
  readonly withstood: boolean;
  readonly memoryMiB: readonly [before: number, after: number];
  /** The 99th percentile of the gentle client's calls. */
  readonly p99Ms: number;
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

async function damageOf(attack: Attack, target: Target): Promise<Damage> {
  const before = memoryMiB(target.server);
  let withstood = true;
  let outcome = "";
  const p99Ms = await gently(target, async () => {
    try {
      outcome = await attack.run(target, attack.count);
    } catch (error) {
      withstood = false;
      outcome = String(error instanceof Error ? error.message : error).split("\n")[0] ?? "";
    }
  });
  if (Number.isNaN(p99Ms)) withstood = false;
  const memory = [before, memoryMiB(target.server)] as const;
  return { attack: attack.name, count: attack.count, outcome, withstood, memoryMiB: memory, p99Ms };
}

/** Makes calls while `act` runs. Returns their 99th percentile; NaN if one of them failed. */
async function gently(target: Target, act: () => Promise<unknown>): Promise<number> {
  const session = dial(target);
  const acting = act().finally(() => timer.abort());
  const timer = new AbortController();
  const times: number[] = [];
  do {
    const startedAt = performance.now();
    const outcome = await ask(session, "/bakery.v1.CatalogService/GetProduct", GET_RYE);
    times.push(outcome === "OK" ? performance.now() - startedAt : Number.NaN);
    await wait(GENTLE_EVERY_MS, undefined, { signal: timer.signal }).catch(() => {});
  } while (!timer.signal.aborted);
  await acting;
  session.destroy();
  if (times.some(Number.isNaN)) return Number.NaN;
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Number.NaN;
}

function newToken(env: NodeJS.ProcessEnv): string {
  const args = ["--import", "tsx/esm", join(attackedStep, "token.ts"), "--user", "eve"];
  const options = { cwd: courseRoot, env: { ...process.env, ...env }, encoding: "utf8" } as const;
  return spawnSync(process.execPath, [...args, "--role", "baker"], options).stdout.trim();
}

/** Returns a line of the table for each of `damages`. */
export function table(damages: readonly Damage[]): string {
  return formatColumns([
    ["attack", "times", "outcome", "memory MiB", "p99 ms"],
    ...damages.map(({ attack, count, outcome, withstood, memoryMiB: [before, after], p99Ms }) => [
      attack,
      String(count),
      withstood ? outcome : `FAILED: ${outcome}`,
      `${before} -> ${after}`,
      p99Ms.toFixed(0),
    ]),
  ]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  generateStale(courseRoot);
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !attacks.some((attack) => attack.name === name));
  if (unknown !== undefined) {
    const known = attacks.map(({ name }) => name).join(", ");
    console.error(`there is no attack ${JSON.stringify(unknown)}: choose from ${known}`);
    process.exit(2);
  }
  const chosen = attacks.filter(({ name }) => names.length === 0 || names.includes(name));
  const damages = await abuse(chosen);
  const withstood = damages.filter((damage) => damage.withstood).length;
  console.log(table(damages));
  console.log(`withstood ${withstood} of ${chosen.length} attacks`);
  process.exitCode = withstood === chosen.length ? 0 : 1;
}
