// Programs that are started, watched and always ended.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { whenThisProcessEnds } from "./cleanup.ts";

/** What to start. */
export interface ProgramSpec {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Its standard input; none if undefined. */
  readonly input?: string;
}

/** Why a test or an act that sends a signal is skipped here; false where it is not. */
export const noSignals: string | false =
  process.platform === "win32" && "Windows has no signals between programs";

const POLL_MS = 15;

/** A running program and everything that it prints, standard output and error in one order. */
export class Program {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #log: string;
  readonly #ended: Promise<void>;
  readonly #forgotten: () => void;

  /** Starts `spec` in a process group of its own. */
  constructor(spec: ProgramSpec) {
    this.#folder = mkdtempSync(join(tmpdir(), "course-output-"));
    this.#log = join(this.#folder, "log");
    // One file for both streams keeps the order in which they were written; two pipes would not.
    const log = openSync(this.#log, "a");
    this.#child = spawn(spec.file, spec.args, {
      cwd: spec.cwd,
      env: spec.env,
      stdio: [spec.input === undefined ? "ignore" : "pipe", log, log],
      detached: process.platform !== "win32",
      windowsHide: true,
    });
    closeSync(log);
    this.#child.stdin?.on("error", () => {}); // It has ended without reading.
    this.#child.stdin?.end(spec.input);
    this.#ended = once(this.#child, "exit").then(
      () => {},
      () => {},
    );
    this.#forgotten = whenThisProcessEnds(() => this.#stopAtOnce());
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** 0 to 255, 128 and more for a program that a signal ended; undefined while it runs. */
  get exitCode(): number | undefined {
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    return this.#child.signalCode !== null || this.#child.pid === undefined ? 128 : undefined;
  }

  /** Everything printed so far. */
  output(): string {
    return readFileSync(this.#log, "utf8").replaceAll("\r\n", "\n");
  }

  /** The lines printed so far; an unfinished last line only once the program has ended. */
  lines(): string[] {
    const ended = this.exitCode !== undefined;
    const lines = this.output().split("\n");
    const unfinished = lines.pop() ?? "";
    return ended && unfinished !== "" ? [...lines, unfinished] : lines;
  }

  /**
   * Waits until `condition` holds.
   * @returns false if the program ended, or `timeoutMs` passed, and it still does not hold.
   */
  async until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    while (!condition()) {
      if (this.exitCode !== undefined) return condition();
      if (Date.now() > deadline) return false;
      await wait(POLL_MS);
    }
    return true;
  }

  /** Waits for the end; false if it has not come after `timeoutMs`. */
  async ends(timeoutMs: number): Promise<boolean> {
    return await this.until(() => this.exitCode !== undefined, timeoutMs);
  }

  /** What Ctrl+C does: SIGINT. See noSignals. */
  interrupt(): void {
    this.#child.kill("SIGINT");
  }

  /** Sends a signal to the program itself. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends the program and all it has started: politely first, by force after `graceMs`. */
  async stop(graceMs = 3000): Promise<void> {
    if (this.exitCode === undefined) {
      killTree(this.pid, "SIGTERM");
      if (!(await this.ends(graceMs))) killTree(this.pid, "SIGKILL");
      await this.#ended;
    }
    this.#forget();
  }

  #stopAtOnce(): void {
    if (this.exitCode === undefined) killTree(this.pid, "SIGKILL");
    this.#forget();
  }

  #forget(): void {
    // What the program started and left behind shares its process group.
    if (process.platform !== "win32") killTree(this.pid, "SIGKILL");
    this.#forgotten();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function killTree(pid: number, signal: NodeJS.Signals): void {
  if (pid <= 0) return;
  if (process.platform === "win32") {
    spawnSync("taskkill", ["/pid", String(pid), "/t", "/f"], { stdio: "ignore" });
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody left in the group.
  }
}
