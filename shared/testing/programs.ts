// Starts programs, watches their output, and always ends them.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import {
  isInterrupted,
  type TemporaryFolder,
  temporaryFolder,
  whenThisProcessEnds,
} from "./cleanup.ts";

/** What to start. */
export interface ProgramSpec {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Its standard input; none if undefined. */
  readonly input?: string;
  /** Keeps standard error out of `output` and `lines`, as `$(…)` does: see `errors`. */
  readonly errorsApart?: boolean;
}

const isWindows = process.platform === "win32";

/** Why a test or an act that sends a signal is skipped; false on systems with signals. */
export const noSignals: string | false = isWindows && "Windows has no signals between programs";

/**
 * True if another program of the course started this one. That program ends our process group and removes
 * the folder that it made for us, so everything that we start stays in both.
 */
const isNested = process.env.COURSE_FOLDER !== undefined;

const POLL_MS = 15;

/** A running program and everything that it prints, with standard output and error in order. */
export class Program {
  readonly #child: ChildProcess;
  readonly #folder: TemporaryFolder;
  readonly #log: string;
  readonly #ended: Promise<unknown>;
  readonly #forget: () => void;

  /** Starts `spec` in a process group of its own. */
  constructor(spec: ProgramSpec) {
    this.#folder = temporaryFolder("program");
    this.#log = join(this.#folder.path, "log");
    // One file for both streams keeps the order in which they were written; two pipes would not.
    const log = openSync(this.#log, "a");
    const errors = spec.errorsApart ? openSync(`${this.#log}-errors`, "a") : log;
    this.#child = spawn(spec.file, spec.args, {
      cwd: spec.cwd,
      env: { COURSE_FOLDER: this.#folder.path, ...spec.env },
      stdio: [spec.input === undefined ? "ignore" : "pipe", log, errors],
      detached: !isWindows && !isNested,
      windowsHide: true,
    });
    for (const file of new Set([log, errors])) closeSync(file);
    this.#child.stdin?.on("error", () => {}); // The program ended without reading it.
    this.#child.stdin?.end(spec.input);
    this.#ended = once(this.#child, "exit").catch(() => {});
    this.#forget = whenThisProcessEnds(
      () => this.#signal("SIGKILL"),
      () => this.stop(),
    );
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** 0 to 255; as in a shell, 128 + its number if a signal ended the program; undefined while it runs. */
  get exitCode(): number | undefined {
    const { exitCode, signalCode, pid } = this.#child;
    if (exitCode !== null) return exitCode;
    if (signalCode !== null) return 128 + constants.signals[signalCode];
    return pid === undefined ? 128 : undefined;
  }

  /** Returns everything printed so far. */
  output(): string {
    return readFileSync(this.#log, "utf8").replaceAll("\r\n", "\n");
  }

  /** Returns standard error so far; requires `errorsApart`. */
  errors(): string {
    return readFileSync(`${this.#log}-errors`, "utf8");
  }

  /** Returns the lines printed so far. Includes an unfinished last line only after the program has ended. */
  lines(): string[] {
    const ended = this.exitCode !== undefined;
    const lines = this.output().split("\n");
    const unfinished = lines.pop() ?? "";
    return ended && unfinished !== "" ? [...lines, unfinished] : lines;
  }

  /**
   * Waits until `condition` holds.
   * @returns false if the program ended, or `timeoutMs` passed, before it held.
   */
  async until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    while (!condition()) {
      if (this.exitCode !== undefined) return condition();
      if (Date.now() > deadline) return false;
      await wait(POLL_MS);
      if (isInterrupted()) await new Promise(() => {}); // Nobody is waiting for the result any more.
    }
    return true;
  }

  /** Waits until the program has ended. Returns false if it is still running after `timeoutMs`. */
  async ends(timeoutMs: number): Promise<boolean> {
    return await this.until(() => this.exitCode !== undefined, timeoutMs);
  }

  /** Sends SIGINT to the program and everything it has started, as Ctrl+C does. See noSignals. */
  interrupt(): void {
    this.#signal("SIGINT");
  }

  /** Sends a signal to the program itself. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends the program and everything it has started: politely at first, by force after `graceMs`. */
  async stop(graceMs = isNested ? 1500 : 3000): Promise<void> {
    if (this.exitCode === undefined) {
      this.#signal("SIGTERM");
      await Promise.race([this.#ended, wait(graceMs, undefined, { ref: false })]);
    }
    this.#signal("SIGKILL"); // Also ends processes that it left behind.
    await this.#ended;
    this.#forget();
    this.#folder.remove();
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    if (isWindows) {
      if (this.exitCode === undefined) {
        spawnSync("taskkill", ["/pid", String(pid), "/t", "/f"], { stdio: "ignore" });
      }
      return;
    }
    if (isNested) {
      this.#child.kill(signal);
      return;
    }
    try {
      process.kill(-pid, signal);
    } catch {
      // No process is left in the group.
    }
  }
}
