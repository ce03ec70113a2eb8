// Ctrl+C and closed terminals, at random moments of npm scripts: nothing is left behind.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { courseRoot } from "../steps.ts";
import { temporaryFolder } from "./cleanup.ts";
import { bareEnvironment } from "./environment.ts";
import { readCommand } from "./shell.ts";

const RUNS = 20;
const LATEST_MS = 5000;
const GONE_MS = 15_000;

// A process is known by its environment, which Linux shows.
const skip = !existsSync("/proc/self/environ") && "needs /proc";

/** Caches, of tsx and of npm, may stay. */
const caches = /^tsx-|^node-compile-cache/;

/** Returns the processes that have `folder` as their temporary folder, or one below it. */
function processesOf(folder: string): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
      if (!environment.includes(`\0TMPDIR=${folder}`)) return [];
      return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")}`];
    } catch {
      return []; // It has ended, is another user's, or is no process.
    }
  });
}

describe("nothing is left", { skip, concurrency: 2 }, () => {
  for (let run = 0; run < RUNS; run++) {
    const commands = ["npm start -- --yes", "npm test", "npm run grade 1"];
    const command = commands[run % commands.length] ?? "";
    const signals: NodeJS.Signals[][] = [["SIGINT"], ["SIGHUP"], ["SIGINT", "SIGINT"], ["SIGTERM"]];
    const sent = signals[Math.floor(run / commands.length) % signals.length] ?? [];
    const delayMs = Math.round(Math.random() * LATEST_MS);
    it(`of ${command}, ${sent.join(" and ")} after ${delayMs} ms`, async () => {
      using folder = temporaryFolder("interrupted");
      const { path } = folder;
      const env = bareEnvironment({ TMPDIR: path });
      const program = readCommand(command, courseRoot, env);
      assert.ok("file" in program);
      // A terminal's signal goes to the whole group, whose leader a shell starts.
      const { pid = 0 } = spawn(program.file, program.args, {
        cwd: courseRoot,
        env,
        detached: true,
        stdio: "ignore",
      });
      await wait(delayMs);
      for (const signal of sent) {
        try {
          process.kill(-pid, signal);
        } catch {
          // It has ended already.
        }
        await wait(50);
      }
      const left = () => ({
        processes: processesOf(path),
        files: readdirSync(path).filter((name) => !caches.test(name)),
      });
      const deadline = Date.now() + GONE_MS;
      const isClean = () => left().processes.length + left().files.length === 0;
      while (!isClean() && Date.now() < deadline) await wait(100);
      assert.deepEqual(left(), { processes: [], files: [] });
    });
  }
});
