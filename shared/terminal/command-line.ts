// Reads command lines with subcommands and options, and writes their usage text. Built on Node.js's
// parseArgs.

import { parseArgs } from "node:util";
import { commandName, formatColumns } from "./output.ts";
import { UsageError } from "./program.ts";
import { parseInteger, type ValueOf, type ValueSpec } from "./values.ts";

/** A subcommand. */
export interface CommandSpec {
  /**
   * The arguments as the usage text shows them: `ID` is required, `WORD...` stands for one or more,
   * `[WORD...]` for any number.
   */
  readonly args: string;
  readonly help: string;
}

/**
 * An option `--name VALUE`, or a flag `--name` if its default is a boolean. The usage text shows
 * the default unless it is 0, false or empty, because these mean that the option is not set.
 */
export type OptionSpec = ValueSpec & {
  /** The placeholder for the value in the usage text, such as `HOST:PORT`. */
  readonly value?: string;
  /** Whether the usage text must hide the default. */
  readonly secret?: boolean;
  /** Returns what is wrong with a value, or undefined if it is valid. */
  readonly problem?: (value: string) => string | undefined;
};

/** A parsed command line: the command, its arguments, and the value of every option. */
export interface CommandLine<Command, Options extends Record<string, OptionSpec>> {
  readonly command: Command;
  readonly args: string[];
  readonly options: { readonly [Name in keyof Options]: ValueOf<Options[Name]> };
}

/**
 * Reads `COMMAND [ARGUMENTS] [--options]`. With `--help` it prints the usage and exits.
 * @param argv the program's arguments, without node and the file.
 * @throws {UsageError} with the usage text, if the command line doesn't have that form.
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
 * Reads the options of a program without commands and arguments. With `--help` it prints the usage
 * and exits.
 * @throws {UsageError} with the usage text, if the command line has anything else.
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
  const value = typed ?? spec.default; // Defaults are checked too: they may come from the environment.
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
  return `Options:\n${formatColumns([...rows, ["  --help", "show this help"]])}`;
}
