// Reads a server's settings from the environment, and prints them for --help.

import { commandName, formatColumns } from "./output.ts";
import { UsageError } from "./program.ts";
import { parseInteger, type ValueOf, type ValueSpec } from "./values.ts";

/** An environment variable. An empty one counts as unset. */
export type SettingSpec = ValueSpec & {
  readonly default: number | string;
  /** Returns what is wrong with a value, or undefined if it is valid. */
  readonly problem?: (value: string) => string | undefined;
};

/**
 * Reads the settings of a program that takes no arguments. With `--help` it prints them and exits.
 * @param argv the program's arguments, without node and the file.
 * @throws {UsageError} if there is an argument, or if a value has a problem, is out of range, or
 *   isn't a number where one is expected.
 */
export function readSettings<const Specs extends Record<string, SettingSpec>>(
  specs: Specs,
  argv: readonly string[] = process.argv.slice(2),
  environment: NodeJS.ProcessEnv = process.env,
): { [Name in keyof Specs]: ValueOf<Specs[Name]> } {
  const usage = `Usage: [SETTING=VALUE ...] ${commandName("node --import tsx")}\n\nSettings, from the environment:\n${formatColumns(
    Object.entries(specs).map(([name, spec]) => [
      `  ${name}`,
      `${spec.help}${spec.default === "" ? "" : ` (${spec.default})`}`,
    ]),
  )}`;
  if (argv.includes("--help") || argv.includes("-h")) {
    console.log(usage);
    process.exit(0);
  }
  if (argv.length > 0) {
    throw new UsageError(`unexpected argument ${JSON.stringify(argv[0])}\n\n${usage}`);
  }
  const values = Object.entries(specs).map(([name, spec]) => {
    const text = environment[name] || String(spec.default);
    const problem = spec.problem?.(text);
    if (problem !== undefined) throw new UsageError(`${name} ${problem}`);
    return [name, typeof spec.default === "number" ? parseInteger(name, text, spec) : text];
  });
  return Object.fromEntries(values);
}
