// Starts and ends the npm scripts of the course.

import util from "node:util"; // Not by name: an old Node.js, which steps.ts refuses, has no styleText.
import { runProgram, UsageError } from "../terminal/program.ts";

/**
 * Runs an npm script; see runProgram. With `--help`, prints `usage`. If parseArgs rejects the command line,
 * prints what is wrong, and `usage`.
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

/** Returns `text` in a style if standard output is a terminal that supports it; otherwise unchanged. */
export function paint(style: "bold" | "dim" | "green" | "red", text: string): string {
  return colours ? util.styleText(style, text) : text;
}
