// Reports the results of a performance, in the same words for every program.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { paint } from "../script.ts";
import type { Audience, Outcome } from "./perform.ts";
import type { Readme } from "./readme.ts";
import { update } from "./transcript.ts";

/** Prints commands and their output as they happen, without stack frames from packages and Node.js. */
export const terminals: Pick<Audience, "act" | "print"> = {
  act({ source }, terminal) {
    const since = source.length === 0 ? ", meanwhile" : "";
    const place = terminal === undefined ? "" : paint("dim", `  (terminal: ${terminal}${since})`);
    const lines = source.map((line) => `  ${paint("bold", line)}`).join("\n");
    console.log(`\n${lines}${place}`);
  },
  print(lines) {
    const own = lines.filter((line) => !/^ {4}at .*(node_modules|node:)/.test(line));
    for (const line of own) console.log(`  ${line}`);
  },
};

/** Prints an exit code that isn't 0 or that the README shows, or why a command was skipped. */
export function showEnd({ act, result, reason, exitCode }: Outcome): void {
  if (exitCode !== undefined && (exitCode || act.exitCode)) console.log(`  ? ${exitCode}`);
  if (result === "skipped") console.log(`  (skipped: there is no ${reason})`);
}

/** Returns a difference as `file:line: what was typed`, with the expected and the actual output. */
export function describeDifference(readme: Readme, outcome: Outcome): string {
  const typed = outcome.act.source.join("\n  ") || "(what the terminal printed since)";
  const printed = outcome.output.map((line) => `    ${line}`).join("\n");
  return [
    `${readme.file}:${outcome.line}`,
    `  ${typed}`,
    outcome.reason.replace(/^/gm, "  "),
    `  it printed${printed === "" ? " nothing" : `:\n${printed}`}`,
  ].join("\n");
}

/** Updates the transcripts of a README with the actual output; keeps wildcards that still match. */
export function updateReadme(root: string, readme: Readme, outcomes: readonly Outcome[]): void {
  const path = join(root, readme.file);
  const lines = readFileSync(path, "utf8").split("\n");
  const different = outcomes.filter(({ result }) => result === "different");
  // Updates the last one first, so that the line numbers of the others stay valid.
  for (const { act, output, exitCode } of [...different].reverse()) {
    const from = act.line - 1 + act.source.length;
    const length = act.expected.length + (act.exitCode === undefined ? 0 : 1);
    const now = exitCode ?? act.exitCode ?? 0;
    const tail = now === 0 && act.exitCode !== 0 ? [] : [`? ${now}`];
    lines.splice(from, length, ...update(act.expected, output), ...tail);
  }
  if (different.length > 0) writeFileSync(path, lines.join("\n"));
}

/** Throws an error that names each outcome that differs from the README. */
export function assertAsWritten(readme: Readme, outcomes: readonly Outcome[]): void {
  const different = outcomes.filter(({ result }) => result === "different");
  fail(...different.map((outcome) => describeDifference(readme, outcome)));
}

/** Throws an error with these problems, unless all are empty. */
export function fail(...problems: string[]): void {
  const message = problems.filter((problem) => problem !== "").join("\n\n");
  if (message === "") return;
  const failure = new Error(message);
  failure.stack = failure.message; // A stack trace doesn't help the author of a README.
  throw failure;
}
