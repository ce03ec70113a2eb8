// Parses transcripts (what the user types in a terminal, and what the terminal prints), compares them with
// actual output, and updates them.

import { diffArrays } from "diff";

/** Something done in a terminal, and what is expected to follow. */
export interface Act {
  /** The line of the act in the README, from 1. */
  readonly line: number;
  /** What is typed: a command, or Ctrl+C; `look` only reads what the terminal has printed since. */
  readonly kind: "run" | "interrupt" | "look";
  /** The command, its continuation lines joined; empty unless `kind` is "run". */
  readonly command: string;
  /** The lines of the act itself in the README, without the expected output. */
  readonly source: readonly string[];
  readonly expected: readonly string[];
  /** The exit code after `? `; undefined if none is written. */
  readonly exitCode: number | undefined;
}

/** A line of a transcript that stands for any number of lines. */
const ANY_LINES = "...";
/** Stands for anything within a line. */
const ANYTHING = "[..]";

/** Reads the body of a console block whose first line is line `firstLine` of its file. */
export function parseTranscript(body: string, firstLine: number): Act[] {
  const acts: { -readonly [Key in keyof Act]: Act[Key] }[] = [];
  const lines = body.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const text = lines[at] ?? "";
    const act = { line: firstLine + at, command: "", expected: [], exitCode: undefined };
    const last = acts.at(-1);
    if (text.startsWith("$ ")) {
      const source = [text];
      while (lines[at + 1]?.startsWith("> ")) source.push(lines[++at] ?? "");
      const typed = source.map((line) => line.slice(2)).join("\n");
      acts.push({ ...act, kind: "run", command: typed.replaceAll("\\\n", " "), source });
    } else if (text === "^C") {
      acts.push({ ...act, kind: "interrupt", source: [text] });
    } else if (last === undefined) {
      acts.push({ ...act, kind: "look", source: [], expected: [text] });
    } else if (/^\? \d+$/.test(text)) {
      last.exitCode = Number(text.slice(2));
    } else {
      last.expected = [...last.expected, text];
    }
  }
  return acts;
}

/** How far a transcript and the actual output agree. */
export type Agreement =
  | { readonly agrees: true /** How many lines of output it covers. */; readonly used: number }
  | {
      readonly agrees: false;
      /** The index of the first expected line without a match; the number of lines if all matched. */
      readonly at: number;
      /** The line of output in that place; undefined if the output has ended. */
      readonly got: string | undefined;
    };

/**
 * Compares expected lines with lines of output.
 * @param whole true if the expected lines must match the whole output; false if they need to match
 *   only its beginning, because the program is still running and may print more.
 */
export function compare(
  expected: readonly string[],
  output: readonly string[],
  whole: boolean,
): Agreement {
  // All numbers of output lines that the expected lines up to this one can match.
  let covered = [0];
  for (const [at, line] of expected.entries()) {
    const next =
      line === ANY_LINES
        ? [...output.keys(), output.length].slice(Math.min(...covered))
        : covered.filter((index) => matchesLine(line, output[index])).map((index) => index + 1);
    if (next.length === 0) return { agrees: false, at, got: output[Math.max(...covered)] };
    covered = next;
  }
  if (whole && !covered.includes(output.length)) {
    return { agrees: false, at: expected.length, got: output[Math.max(...covered)] };
  }
  const open = whole || expected.at(-1) === ANY_LINES;
  return { agrees: true, used: open ? output.length : Math.min(...covered) };
}

function matchesLine(expected: string, actual: string | undefined): boolean {
  if (actual === undefined) return false;
  const pieces = expected.trimEnd().split(ANYTHING);
  const literal = pieces.map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${literal.join(".*")}$`).test(actual.trimEnd());
}

/**
 * Updates expected lines with actual output. Lines that still match are unchanged, including their
 * wildcards; a line that has changed keeps the wildcards of the words that still match.
 */
export function update(expected: readonly string[], output: readonly string[]): string[] {
  const updated: string[] = [];
  const changes = diffArrays([...expected], [...output], { comparator: matchesLine });
  let at = 0;
  let old: string[] = []; // Removed lines; their replacement comes next, if there is one.
  for (const { added, removed, count, value } of changes) {
    updated.push(...updateLines(old, added ? value : []));
    old = [];
    if (added) continue;
    const lines = expected.slice(at, at + count);
    at += count;
    if (removed) old = lines;
    else updated.push(...lines);
  }
  return [...updated, ...updateLines(old, [])];
}

/** Updates changed lines. Keeps the first `...`, and aligns the lines around it with both ends of `now`. */
function updateLines(old: readonly string[], now: readonly string[]): string[] {
  const any = old.indexOf(ANY_LINES);
  if (any < 0) return now.map((line, at) => updateLine(old[at] ?? "", line));
  const after = old.slice(any + 1);
  const rest = now.slice(Math.max(any, now.length - after.length));
  const before = updateLines(old.slice(0, any), now.slice(0, any));
  return [...before, ANY_LINES, ...rest.map((line, at) => updateLine(after[at] ?? "", line))];
}

function updateLine(expected: string, actual: string): string {
  const old = expected.split(/(\s+)/);
  const now = actual.split(/(\s+)/);
  if (old.length !== now.length) return actual;
  return now
    .map((word, at) => (old[at]?.includes(ANYTHING) && matchesLine(old[at], word) ? old[at] : word))
    .join("");
}
