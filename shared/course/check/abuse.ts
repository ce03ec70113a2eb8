// npm run abuse -- [--quick] [ATTACK ...]: attacks a server of step 07, and prints what became of it. All
// is bounded in count and time, and stays on this machine. A gentle client makes calls meanwhile.

import assert from "node:assert/strict";
import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { formatColumns } from "../../terminal/output.ts";
import { temporaryFolder } from "../../testing/cleanup.ts";
import { runClient, startServer } from "../../testing/servers.ts";
import { generateStale } from "../generate.ts";
import { courseRoot } from "../steps.ts";
import { attackedStep, attacks } from "./attacks.ts";
import { opened, type Target } from "./hostile.ts";

const MAX_P99_MS = 1000;
const MAX_GROWTH_MIB = 50;

generateStale(courseRoot);
const names = process.argv.slice(2).filter((word) => word !== "--quick");
const chosen = attacks.filter(({ name }) => names.length === 0 || names.includes(name));
if (chosen.length < names.length) {
  const known = attacks.map(({ name }) => name).join(", ");
  console.error(`Usage: npm run abuse [-- [--quick] [ATTACK ...]]\n\nThe attacks are ${known}.`);
  process.exit(2);
}

using scratch = temporaryFolder("abuse");
const env = { CERTS: join(scratch.path, "certs"), KEYS: join(scratch.path, "keys") };
const { MESSAGE_BYTES = "65536" } = process.env;
const limits = { KEEPALIVE_MS: "1000", NODE_OPTIONS: "--max-old-space-size=80", MESSAGE_BYTES };
await using server = await startServer(attackedStep, { ...env, ...limits });
const baker = ["--user", "eve", "--role", "baker"];
const token = (await runClient(attackedStep, baker, env, "token.ts")).stdout.trim();
const caFile = join(env.CERTS, "ca.pem");
const { program, address } = server;
const target: Target = { ...server, token, caFile };
const gentle = fork(join(import.meta.dirname, "gentle.ts"), [address, caFile]);

await wait(1000);
await p99Ms(); // Later calls don't wait for what is loaded only once.
await wait(500);
const quietMs = await p99Ms();
const rows = [["attack", "times", "outcome", "memory MiB", "p99 ms"]];
rows.push(["none", "", "", `${memoryMiB()}`, quietMs.toFixed(0)]);
let withstood = 0;
for (const { name, count: all, run } of chosen) {
  const count = Math.ceil(all / (process.argv.includes("--quick") ? 10 : 1));
  const before = memoryMiB();
  let [said, fault] = ["", ""];
  const aMinute = wait(60_000, undefined, { ref: false });
  const tooLong = aMinute.then(() => assert.fail("not over after a minute"));
  await Promise.race([run(target, count), tooLong]).then(
    (outcome) => (said = outcome),
    (error: Error) => (fault = error.message),
  );
  const [waitedMs, after] = [await p99Ms(), memoryMiB()];
  for (const connection of opened.splice(0)) await connection.destroy();
  if (program.exitCode !== undefined) fault = "the server has ended";
  // A busy machine is slower, with and without an attack.
  else if (!(waitedMs < MAX_P99_MS + 50 * quietMs))
    fault ||= `${said}; a gentle client had to wait`;
  else if (after - before > MAX_GROWTH_MIB) fault ||= `${said}; it took too much memory`;
  if (fault === "") withstood++;
  else said = `FAILED: ${fault.split("\n")[0]}`;
  rows.push([name, `${count}`, said, `${before} -> ${after}`, waitedMs.toFixed(0)]);
  if (program.exitCode !== undefined) break;
}
gentle.disconnect();
console.log(formatColumns(rows));
console.log(`withstood ${withstood} of ${chosen.length} attacks`);
process.exitCode = withstood === chosen.length ? 0 : 1;

/** Returns the p99 of the gentle client's calls since the last time; Infinity if one of them failed. */
async function p99Ms(): Promise<number> {
  gentle.send("p99?");
  const [ms] = await once(gentle, "message");
  return Number(ms);
}

/** Returns the server's memory; NaN where there is no ps. */
function memoryMiB(): number {
  const args = ["-o", "rss=", "-p", String(program.pid)];
  return Math.round(Number.parseInt(spawnSync("ps", args, { encoding: "utf8" }).stdout, 10) / 1024);
}
