// How the npm scripts of the course begin and end.

import util from "node:util"; // As a whole: an old Node.js, which steps.ts refuses, has no styleText.
import { runProgram, UsageError } from "../terminal/program.ts";

/**
 * Runs an npm script; see runProgram. With `--help` it prints `usage`, and for a command line that parseArgs
 * refuses it prints what is wrong, and `usage`.
 */
export async function runScript(usage: string, main: () => Promise<number>): Promise<void> {
  if (process.argv.slice(2).some((word) => word === "--help" || word === "-h")) {
    console.log(usage);
    return;
  }
  await runProgram(async () => {
    try {
      return await main();
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      if (!code.startsWith("ERR_PARSE_ARGS") || !(error instanceof Error)) throw error;
      throw new UsageError(`${error.message}\n\n${usage}`);
    }
  });
}

const colours = process.stdout.isTTY && !process.env.NO_COLOR;

/** Returns `text` in a style where standard output is a terminal that shows it; unchanged elsewhere. */
export function paint(style: "bold" | "dim" | "green" | "red", text: string): string {
  return colours ? util.styleText(style, text) : text;
}
