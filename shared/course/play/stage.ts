// Runs the commands of a README for real, compares what they print, and ends what it started.

import { posix, sep } from "node:path";
import { noSignals, Program } from "../../testing/programs.ts";
import type { Environment } from "./environment.ts";
import type { Audience, Outcome } from "./perform.ts";
import type { Part } from "./readme.ts";
import { readCommand } from "./shell.ts";
import { type Act, compare } from "./transcript.ts";
import type { Workspace } from "./workspace.ts";

/** How long a program with unexpected output may take to print the rest. */
const FAILURE_MS = 1000;

/** A terminal: the program in it, and how many of its lines have been compared and printed. */
interface Terminal {
  readonly program: Program;
  seen: number;
  printed: number;
}

interface Settings {
  readonly workspace: Workspace;
  readonly environment: Environment;
  readonly audience: Audience;
  readonly timeoutMs: number;
}

/** The terminals of one performance. `clear` ends the programs in them. */
export class Stage {
  readonly outcomes: Outcome[] = [];
  readonly #settings: Settings;
  readonly #terminals = new Map<string | undefined, Terminal>();
  #undoEdits: (() => void)[] = [];

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /**
   * Performs a part. Resolves to false if the audience ends the performance.
   * @param endsLater true if a Ctrl+C at the part's end doesn't end the program at once.
   */
  async play(part: Part, folder: string, endsLater: boolean): Promise<boolean> {
    if (part.kind === "heading") this.#undoAllEdits();
    if (part.kind === "edit") {
      const { workspace, environment } = this.#settings;
      const real = (line: string) =>
        part.file.endsWith(".ts") ? line : environment.ports.toReal(line);
      this.#undoEdits.push(workspace.edit(posix.join(folder, part.file), part.lines.map(real)));
    }
    if (part.kind !== "transcript") return true;
    for (const [at, act] of part.acts.entries()) {
      this.#settings.audience.act?.(act, part.terminal);
      const next = part.acts[at + 1]?.kind;
      const stays =
        act.kind === "interrupt"
          ? endsLater && next === undefined
          : part.terminal !== undefined || next === "interrupt";
      const outcome = await this.#perform(act, part.terminal, stays);
      this.outcomes.push(outcome);
      if (this.#settings.audience.outcome?.(outcome, part.terminal) === false) return false;
    }
    if (part.terminal === undefined) await this.#close(undefined);
    return true;
  }

  /** Ends every program. */
  async clear(): Promise<void> {
    await Promise.all([...this.#terminals.keys()].map((name) => this.#close(name)));
  }

  /** @param stays true if the program may keep running after its expected lines have appeared. */
  async #perform(act: Act, name: string | undefined, stays: boolean): Promise<Outcome> {
    const { environment, workspace } = this.#settings;
    if (act.kind === "run") {
      await this.#close(name);
      const [, forgotten] = /^unset ([A-Z][A-Z0-9_]*)$/.exec(act.command) ?? [];
      if (forgotten !== undefined) {
        delete environment.exported[forgotten];
        return outcomeOf(act, "as written", "", { exitCode: 0 });
      }
      const [, variable, inner = act.command] =
        /^export ([A-Z][A-Z0-9_]*)=\$\((.+)\)$/s.exec(act.command) ?? [];
      const env = environment.forCommand(inner);
      const spec = readCommand(environment.ports.toReal(inner), workspace.root, env);
      if ("missing" in spec) return outcomeOf(act, "skipped", spec.missing);
      const program = new Program({ ...spec, errorsApart: variable !== undefined });
      this.#terminals.set(name, { program, seen: 0, printed: 0 });
      if (variable !== undefined) return await this.#export(act, variable, program);
    }
    const terminal = this.#terminals.get(name);
    // The terminal's program was skipped, so it prints nothing.
    if (terminal === undefined) return outcomeOf(act, "skipped", "what the terminal runs");
    if (act.kind === "interrupt" && noSignals !== false) {
      await this.#close(name);
      return outcomeOf(act, "skipped", "Ctrl+C between programs on Windows");
    }
    if (act.kind === "interrupt") terminal.program.interrupt();
    return await this.#judge(act, name, terminal, stays && act.exitCode === undefined);
  }

  /** Performs `export NAME=$(COMMAND)`: sets the variable to the output for all later commands. */
  async #export(act: Act, variable: string, program: Program): Promise<Outcome> {
    await program.ends(this.#settings.timeoutMs);
    const { exitCode } = program;
    this.#settings.environment.exported[variable] = program.lines().join("\n");
    if (exitCode === 0) return outcomeOf(act, "as written", "", { exitCode });
    const output = [...program.lines(), ...program.errors().trimEnd().split("\n")];
    return outcomeOf(act, "different", exitCodes(0, exitCode), { output, exitCode });
  }

  async #judge(
    act: Act,
    name: string | undefined,
    terminal: Terminal,
    mayGoOn: boolean,
  ): Promise<Outcome> {
    const { program } = terminal;
    const heard = () => {
      const lines = program.lines();
      const all = lines.length === 0 ? [] : this.#asWritten(lines.join("\n")).split("\n");
      if (all.length > terminal.printed) {
        this.#settings.audience.print?.(all.slice(terminal.printed), name);
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
    const inTime = await program.until(finished, this.#settings.timeoutMs);
    // A program that fails may print more before it ends.
    if (mayGoOn && !compare(act.expected, heard(), false).agrees) await program.ends(FAILURE_MS);

    const output = heard();
    const exitCode = program.exitCode;
    const agreement = compare(act.expected, output, !mayGoOn);
    terminal.seen += agreement.agrees ? agreement.used : output.length;

    const different = (reason: string, line = act.line) =>
      outcomeOf(act, "different", reason, { line, output, exitCode });
    if (!inTime && exitCode === undefined && !mayGoOn) {
      await this.#close(name);
      return different(`still running after ${this.#settings.timeoutMs / 1000} s, stopped`);
    }
    if (!agreement.agrees) {
      const expected = act.expected[agreement.at];
      const line = act.line + act.source.length + agreement.at;
      const anyBefore = act.expected.slice(0, agreement.at).includes("...");
      const nothing = anyBefore ? "(no such line)" : "(nothing more)";
      return different(
        `expected  ${expected ?? "(nothing more)"}\ngot       ${agreement.got ?? nothing}`,
        expected === undefined ? line - 1 : line,
      );
    }
    if (!mayGoOn && exitCode !== (act.exitCode ?? 0)) {
      return different(exitCodes(act.exitCode ?? 0, exitCode));
    }
    return outcomeOf(act, "as written", "", { output, exitCode });
  }

  /** Returns output with the ports shown in the README, and with paths relative to the course. */
  #asWritten(output: string): string {
    const place = `${this.#settings.workspace.root}${sep}`;
    return this.#settings.environment.ports.toReadme(output).replaceAll(place, "");
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
