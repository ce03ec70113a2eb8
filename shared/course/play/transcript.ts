// A transcript: what a person types in a terminal, and what the terminal says. Reading one, comparing
// it with what really happened, and bringing it up to date.

/** Something done in a terminal, and what is expected to follow. */
export interface Act {
  /** The line in the README where the act stands, from 1. */
  readonly line: number;
  /** What is typed: a command, or Ctrl+C; `look` only reads what the terminal has printed since. */
  readonly kind: "run" | "interrupt" | "look";
  /** The command, its continuation lines joined; empty unless `kind` is "run". */
  readonly command: string;
  /** The lines as they stand in the README: the act itself, before what is expected. */
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
      acts.push({ ...act, kind: "run", command: joinContinuation(source), source });
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

function joinContinuation(source: readonly string[]): string {
  return source
    .map((line) => line.slice(2))
    .join("\n")
    .replaceAll("\\\n", " ");
}

/** How far a transcript and an output agree. */
export type Agreement =
  | { readonly agrees: true /** How many lines of output it covers. */; readonly used: number }
  | {
      readonly agrees: false;
      /** Index of the first expected line that nothing matches; the number of lines if all matched. */
      readonly at: number;
      /** The line of output that stands there; undefined if the output has ended. */
      readonly got: string | undefined;
    };

/**
 * Compares expected lines with lines of output.
 * @param whole true: the expected lines must cover the output to its end. False: it is enough that
 *   they cover its beginning, because the program is still running and may go on printing.
 */
export function compare(
  expected: readonly string[],
  output: readonly string[],
  whole: boolean,
): Agreement {
  // Every number of output lines that the expected lines so far can cover.
  let covered = [0];
  for (const [at, line] of expected.entries()) {
    const next =
      line === ANY_LINES
        ? output
            .map((_, index) => index)
            .concat(output.length)
            .slice(Math.min(...covered))
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
  const literal = expected.trimEnd().split(ANYTHING).map(escapeForRegExp);
  return new RegExp(`^${literal.join(".*")}$`).test(actual.trimEnd());
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/**
 * The expected lines, brought up to date with an output: lines that still match stay as they are,
 * wildcards included; a line that changed keeps its wildcard words where the others line up.
 */
export function update(expected: readonly string[], output: readonly string[]): string[] {
  // costs[i][j]: the least that must be changed to make expected[i..] cover output[j..].
  const costs: number[][] = [];
  const costAt = (i: number, j: number) => costs[i]?.[j] ?? 0;
  for (let i = expected.length; i >= 0; i--) {
    costs[i] = [];
    for (let j = output.length; j >= 0; j--) {
      const row = costs[i] ?? [];
      row[j] = Math.min(
        ...ways(expected, output, i, j).map((way) => way.cost + costAt(way.i, way.j)),
      );
      if (i === expected.length && j === output.length) row[j] = 0;
    }
  }
  const updated: string[] = [];
  let [i, j] = [0, 0];
  while (i < expected.length || j < output.length) {
    const best = costAt(i, j);
    const way = ways(expected, output, i, j).find(
      (candidate) => candidate.cost + costAt(candidate.i, candidate.j) === best,
    );
    if (way === undefined) break;
    if (way.write !== undefined) updated.push(way.write);
    [i, j] = [way.i, way.j];
  }
  return updated;
}

interface Way {
  readonly cost: number;
  readonly i: number;
  readonly j: number;
  readonly write?: string;
}

/** What can be done with expected line i and output line j, best first. */
function ways(expected: readonly string[], output: readonly string[], i: number, j: number): Way[] {
  const line = expected[i];
  const actual = output[j];
  const found: Way[] = [];
  if (line === ANY_LINES) {
    found.push({ cost: 0, i: i + 1, j, write: line });
    if (actual !== undefined) found.push({ cost: 0, i, j: j + 1 });
    return found;
  }
  if (line !== undefined && actual !== undefined) {
    if (matchesLine(line, actual)) found.push({ cost: 0, i: i + 1, j: j + 1, write: line });
    else found.push({ cost: 1.5, i: i + 1, j: j + 1, write: updateLine(line, actual) });
  }
  if (line !== undefined) found.push({ cost: 2, i: i + 1, j });
  if (actual !== undefined) found.push({ cost: 1, i, j: j + 1, write: actual });
  return found;
}

function updateLine(expected: string, actual: string): string {
  const old = expected.split(/(\s+)/);
  const now = actual.split(/(\s+)/);
  if (old.length !== now.length) return actual;
  return now
    .map((word, at) => (old[at]?.includes(ANYTHING) && matchesLine(old[at], word) ? old[at] : word))
    .join("");
}
