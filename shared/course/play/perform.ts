// Performs a README: runs its commands for real, compares what they print, and ends what it started.

import { dirname, posix } from "node:path";
import { createEnvironment, type Environment } from "./environment.ts";
import { noSignals, Program, type ProgramSpec } from "./programs.ts";
import type { Part, Readme } from "./readme.ts";
import { type MissingTool, readCommand } from "./shell.ts";
import { type Act, compare } from "./transcript.ts";
import { Workspace } from "./workspace.ts";

/** What came of one act. */
export interface Outcome {
  readonly act: Act;
  readonly result: "as written" | "different" | "skipped";
  /** For "different": what is wrong, in words. For "skipped": the tool that is missing. */
  readonly reason: string;
  /** The line of the README that is wrong, from 1. */
  readonly line: number;
  /** Everything that the act printed, with the ports that the README writes. */
  readonly output: readonly string[];
  readonly exitCode: number | undefined;
}

/** Follows a performance as it happens. */
export interface Audience {
  /** Before each part. The performance waits; false ends it. */
  part?(part: Part): Promise<boolean>;
  /** Before each act. */
  act?(act: Act, terminal: string | undefined): void;
  /** New lines that a program has printed. */
  print?(lines: readonly string[], terminal: string | undefined): void;
  /** After each act. */
  outcome?(outcome: Outcome): void;
}

export interface PerformOptions {
  readonly audience?: Audience;
  /** How long a command may take, or its expected output may fail to appear. 60 s unless given. */
  readonly timeoutMs?: number;
}

/**
 * Performs `readme` in a copy of the course in `root`.
 * @returns an outcome for each act, in order. All programs have ended, and the copy is gone.
 */
export async function perform(
  root: string,
  readme: Readme,
  { audience = {}, timeoutMs = 60_000 }: PerformOptions = {},
): Promise<Outcome[]> {
  const acts = readme.parts.flatMap((part) => (part.kind === "transcript" ? part.acts : []));
  const text = acts.flatMap((act) => [act.command, ...act.expected]).join("\n");
  using workspace = new Workspace(root);
  const environment = await createEnvironment(workspace.root, dirname(readme.file), text);
  const stage = new Stage(workspace, environment, { audience, timeoutMs });
  try {
    for (const part of readme.parts) {
      if ((await audience.part?.(part)) === false) break;
      if (part.exercise === undefined) await stage.play(part, dirname(readme.file));
    }
    return stage.outcomes;
  } finally {
    await stage.clear();
  }
}

/** A terminal: the program in it, and how many of its lines have been accounted for. */
interface Terminal {
  readonly program: Program;
  seen: number;
  printed: number;
}

class Stage {
  readonly outcomes: Outcome[] = [];
  readonly #workspace: Workspace;
  readonly #environment: Environment;
  readonly #options: Required<PerformOptions>;
  readonly #terminals = new Map<string | undefined, Terminal>();
  #undoEdits: (() => void)[] = [];

  constructor(workspace: Workspace, environment: Environment, options: Required<PerformOptions>) {
    this.#workspace = workspace;
    this.#environment = environment;
    this.#options = options;
  }

  async play(part: Part, folder: string): Promise<void> {
    if (part.kind === "heading") this.#undoAllEdits();
    if (part.kind === "edit") {
      this.#undoEdits.push(this.#workspace.edit(posix.join(folder, part.file), part.lines));
    }
    if (part.kind !== "transcript") return;
    for (const [at, act] of part.acts.entries()) {
      this.#options.audience.act?.(act, part.terminal);
      const stays = part.terminal !== undefined || part.acts[at + 1]?.kind === "interrupt";
      const outcome = await this.#perform(act, part.terminal, stays);
      this.outcomes.push(outcome);
      this.#options.audience.outcome?.(outcome);
    }
    if (part.terminal === undefined) await this.#close(undefined);
  }

  /** Ends every program. */
  async clear(): Promise<void> {
    await Promise.all([...this.#terminals.keys()].map((name) => this.#close(name)));
  }

  /** @param stays true: the program may go on running when its expected lines have appeared. */
  async #perform(act: Act, name: string | undefined, stays: boolean): Promise<Outcome> {
    if (act.kind === "run") {
      await this.#close(name);
      const [, forgotten] = /^unset ([A-Z][A-Z0-9_]*)$/.exec(act.command) ?? [];
      if (forgotten !== undefined) {
        delete this.#environment.exported[forgotten];
        return outcomeOf(act, "as written", "", { exitCode: 0 });
      }
      const [, variable, inner = act.command] =
        /^export ([A-Z][A-Z0-9_]*)=\$\((.+)\)$/s.exec(act.command) ?? [];
      const spec = this.#read(inner);
      if ("missing" in spec) return outcomeOf(act, "skipped", spec.missing);
      const program = new Program({ ...spec, errorsApart: variable !== undefined });
      this.#terminals.set(name, { program, seen: 0, printed: 0 });
      if (variable !== undefined) return await this.#export(act, variable, program);
    }
    const terminal = this.#terminals.get(name);
    // A terminal whose program was skipped has nothing to say.
    if (terminal === undefined) return outcomeOf(act, "skipped", "what the terminal runs");
    if (act.kind === "interrupt" && noSignals !== false) {
      await this.#close(name);
      return outcomeOf(act, "skipped", "Ctrl+C between programs on Windows");
    }
    if (act.kind === "interrupt") terminal.program.interrupt();
    return await this.#judge(act, name, terminal, stays && act.exitCode === undefined);
  }

  #read(command: string): ProgramSpec | MissingTool {
    const env = this.#environment.forCommand(command);
    return readCommand(this.#environment.ports.toReal(command), this.#workspace.root, env);
  }

  /** Performs `export NAME=$(COMMAND)`: what the command prints is in the environment from here on. */
  async #export(act: Act, variable: string, program: Program): Promise<Outcome> {
    await program.ends(this.#options.timeoutMs);
    const { exitCode } = program;
    this.#environment.exported[variable] = program.lines().join("\n");
    if (exitCode === 0) return outcomeOf(act, "as written", "", { exitCode });
    const output = [...program.lines(), ...program.errors().trimEnd().split("\n")];
    return outcomeOf(act, "different", exitCodes(0, exitCode), { output, exitCode });
  }

  async #judge(
    act: Act,
    name: string | undefined,
    terminal: Terminal,
    stays: boolean,
  ): Promise<Outcome> {
    const { program } = terminal;
    const mayGoOn = stays && act.kind !== "interrupt";
    const heard = () => {
      const lines = this.#environment.ports.toReadme(program.lines().join("\n")).split("\n");
      const all = program.lines().length === 0 ? [] : lines;
      if (all.length > terminal.printed) {
        this.#options.audience.print?.(all.slice(terminal.printed), name);
        terminal.printed = all.length;
      }
      return all.slice(terminal.seen);
    };
    const finished = () => {
      const output = heard();
      const ended = program.exitCode !== undefined;
      if (!mayGoOn) return ended;
      const sofar = compare(act.expected, output, false);
      const hopeless = !sofar.agrees && sofar.got !== undefined && !act.expected.includes("...");
      return sofar.agrees || hopeless;
    };
    const inTime = await program.until(finished, this.#options.timeoutMs);

    const output = heard();
    const exitCode = program.exitCode;
    const agreement = compare(act.expected, output, !mayGoOn);
    if (agreement.agrees) terminal.seen += agreement.used;
    else terminal.seen += output.length;

    const different = (reason: string, line = act.line) =>
      outcomeOf(act, "different", reason, { line, output, exitCode });
    if (!inTime && exitCode === undefined && !mayGoOn) {
      await this.#close(name);
      return different(`still running after ${this.#options.timeoutMs / 1000} s, stopped`);
    }
    if (!agreement.agrees) {
      const expected = act.expected[agreement.at];
      const line = act.line + act.source.length + agreement.at;
      return different(
        `expected  ${expected ?? "(nothing more)"}\ngot       ${agreement.got ?? "(nothing more)"}`,
        expected === undefined ? line - 1 : line,
      );
    }
    if (!mayGoOn && exitCode !== (act.exitCode ?? 0)) {
      return different(exitCodes(act.exitCode ?? 0, exitCode));
    }
    return outcomeOf(act, "as written", "", { output, exitCode });
  }

  async #close(name: string | undefined): Promise<void> {
    const terminal = this.#terminals.get(name);
    this.#terminals.delete(name);
    await terminal?.program.stop();
  }

  #undoAllEdits(): void {
    for (const undo of this.#undoEdits.reverse()) undo();
    this.#undoEdits = [];
  }
}

function outcomeOf(
  act: Act,
  result: Outcome["result"],
  reason: string,
  more: Partial<Outcome> = {},
): Outcome {
  return { act, result, reason, line: act.line, output: [], exitCode: undefined, ...more };
}

function exitCodes(expected: number, got: number | undefined): string {
  return `expected  exit code ${expected}\ngot       exit code ${got}`;
}
