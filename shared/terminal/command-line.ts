// A command line with subcommands and options, and its usage text. Built on parseArgs of Node.js.

import { parseArgs } from "node:util";
import { commandName, formatColumns } from "./output.ts";
import { UsageError } from "./program.ts";
import { parseInteger, type ValueOf, type ValueSpec } from "./values.ts";

/** A subcommand. */
export interface CommandSpec {
  /**
   * The arguments, as the usage text shows them: `ID` is one that must be given, `WORD...` at least
   * one, `[WORD...]` any number.
   */
  readonly args: string;
  readonly help: string;
}

/**
 * An option, `--name VALUE`; a flag `--name` if its default is a boolean. The usage text shows the
 * default unless it is 0, false or empty: these stand for an option that is not given.
 */
export type OptionSpec = ValueSpec & {
  /** What stands for the value in the usage text: `HOST:PORT`. */
  readonly value?: string;
  /** A default that the usage text must not show. */
  readonly secret?: boolean;
  /** Tells what is wrong with a value; undefined if nothing is. */
  readonly problem?: (value: string) => string | undefined;
};

/** What was typed: one of the commands, its arguments and every option's value. */
export interface CommandLine<Command, Options extends Record<string, OptionSpec>> {
  readonly command: Command;
  readonly args: string[];
  readonly options: { readonly [Name in keyof Options]: ValueOf<Options[Name]> };
}

/**
 * Reads `COMMAND [ARGUMENTS] [--options]`. With `--help` it prints the usage and exits.
 * @param argv the program's arguments, without node and the file.
 * @throws {UsageError} carrying the usage text, for a command line that is not of that form.
 */
export function parseCommandLine<
  Command extends CommandSpec,
  const Options extends Record<string, OptionSpec>,
>(
  commands: Record<string, Command>,
  options: Options,
  argv: readonly string[] = process.argv.slice(2),
): CommandLine<Command, Options> {
  const usage = usageText(commands, options);
  const misused = (problem: string) => new UsageError(`${problem}\n\n${usage}`);
  const { values, positionals } = parse(options, argv, misused);
  if (values.help === true) {
    console.log(usage);
    process.exit(0);
  }

  const [name, ...args] = positionals;
  if (name === undefined) throw misused("no command given");
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw misused(`unknown command ${JSON.stringify(name)}`);
  const expected = command.args.split(" ").filter(Boolean);
  const least = expected.filter((arg) => !arg.startsWith("[")).length;
  const most = command.args.includes("...") ? Number.POSITIVE_INFINITY : expected.length;
  if (args.length < least) throw misused(`${name} needs ${command.args}`);
  if (args.length > most) throw misused(`unexpected argument ${JSON.stringify(args[most])}`);

  return { command, args, options: typedOptions(options, values, misused) };
}

/**
 * Reads the options of a program that has no commands and takes no arguments. With `--help` it
 * prints the usage and exits.
 * @throws {UsageError} carrying the usage text, for anything else.
 */
export function parseOptions<const Options extends Record<string, OptionSpec>>(
  options: Options,
  argv: readonly string[] = process.argv.slice(2),
): CommandLine<never, Options>["options"] {
  const usage = `Usage: ${commandName()} [OPTIONS]\n\n${optionsText(options)}`;
  const misused = (problem: string) => new UsageError(`${problem}\n\n${usage}`);
  const { values, positionals } = parse(options, argv, misused);
  if (values.help === true) {
    console.log(usage);
    process.exit(0);
  }
  if (positionals.length > 0)
    throw misused(`unexpected argument ${JSON.stringify(positionals[0])}`);
  return typedOptions(options, values, misused);
}

function typedOptions<Options extends Record<string, OptionSpec>>(
  options: Options,
  values: Record<string, unknown>,
  misused: (problem: string) => UsageError,
): CommandLine<never, Options>["options"] {
  try {
    const typed = Object.entries(options).map(([option, spec]) => {
      return [option, checked(`--${option}`, values[option], spec)];
    });
    return Object.fromEntries(typed);
  } catch (error) {
    throw error instanceof UsageError ? misused(error.message) : error;
  }
}

function parse(
  options: Record<string, OptionSpec>,
  argv: readonly string[],
  misused: (problem: string) => UsageError,
): { values: Record<string, unknown>; positionals: string[] } {
  const config = Object.entries(options).map(([name, spec]) => {
    const type = typeof spec.default === "boolean" ? "boolean" : "string";
    return [name, { type, multiple: Array.isArray(spec.default) }];
  });
  try {
    return parseArgs({
      args: [...argv],
      options: { ...Object.fromEntries(config), help: { type: "boolean", short: "h" } },
      allowPositionals: true,
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw misused(message.split(". ")[0] ?? message);
  }
}

function checked(name: string, typed: unknown, spec: OptionSpec): unknown {
  if (typeof spec.default === "number") {
    return typed === undefined ? spec.default : parseInteger(name, String(typed), spec);
  }
  const value = typed ?? spec.default; // A default may come from the environment: it is checked too.
  const problem = [value]
    .flat()
    .map(String)
    .map((text) => spec.problem?.(text));
  const first = problem.find((text) => text !== undefined);
  if (first !== undefined) throw new UsageError(`${name} ${first}`);
  return value;
}

function usageText(
  commands: Record<string, CommandSpec>,
  options: Record<string, OptionSpec>,
): string {
  const commandRows = Object.entries(commands).map(([name, { args, help }]) => [
    `  ${name} ${args}`,
    help,
  ]);
  return [
    `Usage: ${commandName()} COMMAND [ARGUMENTS] [OPTIONS]`,
    "",
    "Commands:",
    formatColumns(commandRows),
    "",
    optionsText(options),
  ].join("\n");
}

function optionsText(options: Record<string, OptionSpec>): string {
  const rows = Object.entries(options).map(([name, spec]) => {
    const preset = spec.secret ? "" : String(spec.default || "");
    return [
      `  --${name} ${spec.value ?? ""}`,
      preset === "" ? spec.help : `${spec.help} (${preset})`,
    ];
  });
  return `Options:\n${formatColumns([...rows, ["  --help", "show this"]])}`;
}
