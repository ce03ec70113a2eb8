// The processes of a run: started with a channel to them, and ended with it.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { whenThisProcessEnds } from "../course/play/cleanup.ts";
import { courseRoot } from "../course/steps.ts";
import type { Gauge, Job, LoadMessage } from "./jobs.ts";

const POLL_MS = 15;
const STOP_MS = 3000;
const GAUGE_MS = 10_000;
/** What is read of a server's output, to find the line that says where it listens. */
const MAX_START_BYTES = 65_536;

/** A TypeScript program that Node.js runs through tsx, with its output in a file. */
export class Process {
  readonly #child: ChildProcess;
  readonly #log: string;
  readonly #forgotten: () => void;

  /**
   * @param modules loaded before the program, such as the gauge.
   * @param log the file for its output: production keeps a server's log in one too.
   */
  constructor(file: string, env: NodeJS.ProcessEnv, log: string, modules: readonly string[] = []) {
    this.#log = log;
    const output = openSync(log, "w");
    const imports = ["tsx", ...modules].flatMap((module) => ["--import", module]);
    this.#child = spawn(process.execPath, [...imports, file], {
      cwd: courseRoot,
      env: ownEnvironment(env),
      stdio: ["ignore", output, output, "ipc"],
      windowsHide: true,
    });
    closeSync(output);
    this.#child.on("error", () => {}); // "exit" does not follow; running tells.
    this.#forgotten = whenThisProcessEnds(() => this.#child.kill("SIGKILL"));
  }

  get running(): boolean {
    const { exitCode, signalCode, pid } = this.#child;
    return pid !== undefined && exitCode === null && signalCode === null;
  }

  /** What it printed, from the beginning, in at most 64 KiB. */
  output(): string {
    if (statSync(this.#log).size > MAX_START_BYTES) return "";
    return readFileSync(this.#log, "utf8");
  }

  /**
   * Waits for the line `listening on HOST:PORT` and gives HOST:PORT.
   * @throws {Error} with what it printed instead.
   */
  async listening(timeoutMs: number): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const address = /^listening on (\S+)$/m.exec(this.output())?.[1];
      if (address !== undefined) return address;
      if (!this.running || Date.now() > deadline) {
        throw new Error(`a server did not start: ${this.output().trim().split("\n").at(-1)}`);
      }
      await wait(POLL_MS);
    }
  }

  /** What the server has used so far; it needs the gauge. */
  async gauge(): Promise<Gauge> {
    this.send({});
    return await this.#message<Gauge>(GAUGE_MS);
  }

  /**
   * Gives a load generator a job and waits for its result.
   * @param onMeasuring what to do when it says that its warm-up is over.
   * @throws {Error} with its reason, if it cannot do the job.
   */
  async perform<Result>(job: Job, timeoutMs: number, onMeasuring = () => {}): Promise<Result> {
    this.send(job);
    for (;;) {
      const message = await this.#message<LoadMessage>(timeoutMs);
      if (message.kind === "failed") throw new Error(message.reason);
      if (message.kind === "done") return message.result as Result;
      onMeasuring();
    }
  }

  async stop(): Promise<void> {
    if (this.running) {
      const ended = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      const force = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
      await ended;
      clearTimeout(force);
    }
    this.#forgotten();
  }

  private send(message: object): void {
    if (this.#child.connected) this.#child.send(message);
  }

  async #message<Message>(timeoutMs: number): Promise<Message> {
    const over = new AbortController();
    const { signal } = over;
    try {
      return await Promise.race([
        once(this.#child, "message", { signal }).then(([message]) => message as Message),
        once(this.#child, "exit", { signal }).then(() => {
          throw new Error(`a process ended early: ${this.output().trim().split("\n").at(-1)}`);
        }),
        wait(timeoutMs, undefined, { signal }).then(() => {
          throw new Error(`a process gave no answer for ${timeoutMs / 1000} s`);
        }),
      ]);
    } finally {
      over.abort();
    }
  }
}

/** Nothing of the reader's own settings reaches what is measured. */
export function ownEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { PATH, Path, SystemRoot, TEMP, TMPDIR, HOME, USERPROFILE } = process.env;
  const NODE_ENV = "production";
  return { PATH, Path, SystemRoot, TEMP, TMPDIR, HOME, USERPROFILE, NODE_ENV, PORT: "0", ...env };
}

/** The file of this folder that a process runs. */
export function here(...path: string[]): string {
  return join(import.meta.dirname, ...path);
}
