// Tests Ctrl+C and closed terminals: a server finishes its calls, and npm scripts leave nothing behind.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { connect } from "node:http2";
import { dirname } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { temporaryFolder, whenThisProcessEnds } from "../../testing/cleanup.ts";
import { bareEnvironment } from "../../testing/environment.ts";
import { courseRoot } from "../steps.ts";
import { readCommand } from "./shell.ts";

const RUNS = 20;
const LATEST_MS = 5000;
/** How long cleaning up may take: a busy machine with two runs of npm test at a time needs half a minute. */
const GONE_MS = 60_000;

// The tests find processes by their environment, which Linux shows in /proc.
const skip = !existsSync("/proc/self/environ") && "needs /proc";

/** The caches of tsx and npm may stay. */
const caches = /^tsx-|^node-compile-cache/;

/** Returns the processes that have `folder` as their temporary folder, or one below it. */
function processesOf(folder: string): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
      if (!environment.includes(`\0TMPDIR=${folder}`)) return [];
      return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")}`];
    } catch {
      return []; // It has ended, belongs to another user, or is not a process.
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
      // A terminal signals a whole process group, so the program leads a group of its own.
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

// The script of util-linux runs a command in a pseudo-terminal.
const { stdout } = spawnSync("script", ["--version"], { encoding: "utf8" });
const skipped = !stdout?.includes("util-linux") && "needs script of util-linux";
const SERVER = "node --import tsx step-01-unary/server.ts";

describe(`Ctrl+C at a terminal: ${SERVER}`, { skip: skipped, concurrency: 5 }, () => {
  for (let run = 1; run <= RUNS; run++) {
    it(`finishes the call under way and exits with 0, time ${run}`, async () => {
      const path = `${dirname(process.execPath)}:${process.env.PATH}`;
      const terminal = spawn("script", ["-qefc", `exec ${SERVER}`, "/dev/null"], {
        cwd: courseRoot,
        env: bareEnvironment({ PATH: path, PORT: "0", SLOW_MS: "500" }),
      });
      const forget = whenThisProcessEnds(() => terminal.kill());
      const ended = once(terminal, "exit");
      let printed = "";
      const address = await new Promise<string>((resolve, reject) => {
        terminal.on("exit", () => reject(new Error(`the server ended: ${printed}`)));
        terminal.stdout.on("data", (data) => {
          printed += data;
          const [, heard] = /^listening on (\S+)\s/m.exec(printed) ?? [];
          if (heard !== undefined) resolve(heard);
        });
      });
      const status = await callAndThen(address, () => terminal.stdin.write("\x03"));
      assert.equal(status, "0", printed);
      assert.deepEqual(await ended, [0, null], printed);
      forget();
    });
  }
});

/** Requests rye, and calls `interrupt` once the server has the request. Resolves to the call's status. */
async function callAndThen(address: string, interrupt: () => void): Promise<unknown> {
  const session = connect(`http://${address}`);
  await once(session, "connect");
  const call = session.request({
    ":method": "POST",
    ":path": "/bakery.v1.CatalogService/GetProduct",
    "content-type": "application/grpc",
    te: "trailers",
  });
  let status: unknown = "none: the call was cut off";
  call.on("trailers", (trailers) => {
    status = trailers["grpc-status"];
  });
  call.end(Buffer.from("00000000050a03727965", "hex"));
  session.ping(interrupt); // The server answers a ping after it has received everything sent before.
  await once(call.resume(), "close");
  session.close();
  return status;
}
