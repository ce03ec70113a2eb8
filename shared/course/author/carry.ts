// Carries edits of a step into the steps after it: what `npm run forward` does, short of writing.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { structuredPatch } from "diff";
import { git, namesIn } from "../git.ts";
import { listSteps } from "../steps.ts";

const CONTEXT_LINES = 3;

/** What becomes of a file; paths are relative to the root, with forward slashes. */
export interface Carried {
  readonly file: string;
  readonly outcome: "carried" | "there already" | "kept as it is" | "not in this step" | "its own";
  /** What the file must hold; undefined if it must be gone. Only for "carried". */
  readonly text?: string | undefined;
}

/** An edit that cannot be carried into `file`. The message says where and why. */
export class CarryConflict extends Error {
  readonly file: string;

  constructor(file: string, line: number, why: string) {
    super(`${file}:${line}: ${why}`);
    this.file = file;
  }
}

/**
 * Finds what has been edited in the steps since the revision `since`, and what that makes of the same
 * files in later steps. Writes nothing.
 * @param keep files that were edited by hand to go with an edit before them: they stay as they are,
 *   and what they have become is carried on.
 * @throws {CarryConflict} where an edit does not fit.
 * @throws {Error} if git does not know the revision, there is no repository, or nothing is carried to a
 *   file to keep.
 */
export function carryForward(root: string, since: string, keep: ReadonlySet<string>): Carried[] {
  const steps = listSteps(root).map(({ name }) => name);
  const carried: Carried[] = [];
  const commit = commitOf(root, since);
  for (const [file, firstStep] of editedFiles(root, commit, steps)) {
    if (file === "README.md" || file.endsWith(".test.ts")) {
      carried.push({ file: `${firstStep}/${file}`, outcome: "its own" });
    } else {
      const chain = steps.slice(steps.indexOf(firstStep));
      carried.push(...carryFile(root, commit, keep, file, chain));
    }
  }
  const kept = carried.flatMap(({ file, outcome }) => (outcome === "kept as it is" ? [file] : []));
  const idle = [...keep].find((file) => !kept.includes(file));
  if (idle !== undefined) throw new Error(`--keep ${idle}: no edit is carried there`);
  return carried;
}

function commitOf(root: string, revision: string): string {
  git(root, "rev-parse", "--git-dir");
  try {
    return git(root, "rev-parse", "--verify", "--end-of-options", `${revision}^{commit}`).trim();
  } catch {
    throw new Error(`git knows no revision ${JSON.stringify(revision)} here`);
  }
}

/** The edited files of steps, relative to their step, each with the first step where it is edited. */
function editedFiles(root: string, since: string, steps: readonly string[]): Map<string, string> {
  if (steps.length === 0) return new Map();
  const changes = ["diff", "--name-only", "--no-renames", "--relative", "-z", since, "--"];
  const untracked = ["ls-files", "--others", "--exclude-standard", "-z", "--"];
  const paths = [changes, untracked].flatMap((command) => namesIn(git(root, ...command, ...steps)));
  const edited = new Map<string, string>();
  for (const path of paths.sort()) {
    const [step = "", ...rest] = path.split("/");
    const file = rest.join("/");
    if (!edited.has(file)) edited.set(file, step);
  }
  return edited;
}

/** Carries one file along `chain`: from the first step, where it is edited, through all others. */
function carryFile(
  root: string,
  since: string,
  keep: ReadonlySet<string>,
  file: string,
  chain: readonly string[],
): Carried[] {
  const carried: Carried[] = [];
  let [from, old, now]: [string, string | undefined, string | undefined] = ["", "", ""];
  for (const [at, step] of chain.entries()) {
    const path = `${step}/${file}`;
    const oldHere = textAt(root, since, path);
    const nowHere = textOf(root, path);
    if (at === 0) {
      [from, old, now] = [path, oldHere, nowHere];
      continue;
    }
    if (old === now) break; // The edit ends with a step that was kept as it was.
    if (keep.has(path)) {
      carried.push({ file: path, outcome: "kept as it is" });
      [from, old, now] = [path, oldHere, nowHere];
      continue;
    }
    if (old !== undefined && oldHere === undefined && nowHere === undefined) {
      carried.push({ file: path, outcome: "not in this step" });
      continue;
    }
    const text = carryInto({ from, old, now }, path, nowHere);
    carried.push(
      text === nowHere
        ? { file: path, outcome: "there already" }
        : { file: path, outcome: "carried", text },
    );
    [from, old, now] = [path, oldHere, text];
  }
  return carried;
}

interface Edit {
  readonly from: string;
  readonly old: string | undefined;
  readonly now: string | undefined;
}

/** What an edit makes of the text `here` of the file `path`. Undefined is no file. */
function carryInto({ from, old, now }: Edit, path: string, here: string | undefined) {
  if (here === old || here === now) return now;
  const refuse = (line: number, why: string) => new CarryConflict(path, line, why);
  if (old === undefined) throw refuse(1, `stands here already, and is not the new ${from}`);
  if (now === undefined) throw refuse(1, `is not the same as ${from}, which is gone`);
  if (here === undefined) throw refuse(1, `is gone, while ${from} is edited`);
  const { hunks } = structuredPatch(path, path, old, now, "", "", { context: CONTEXT_LINES });
  let lines = here.split("\n");
  for (const { lines: marked, oldStart } of hunks) {
    const hunk = marked.filter((line) => !line.startsWith("\\")); // "\ No newline at end of file"
    const lead = hunk.findIndex(isChange);
    const edit = `the edit of ${from}:${oldStart + lead}`;
    const [before, after] = [placesOf(hunk, "-", lines), placesOf(hunk, "+", lines)];
    const [place, ...others] = before.places;
    if (place === undefined && after.places.length > 0) continue; // It has been made here.
    if (place === undefined) {
      const why = `the lines around ${edit} are not the same here:`;
      const line = nearest(before.block, lines) + lead;
      throw refuse(line, `${why}\n${hunk.map((text) => `  ${text}`).join("\n")}`);
    }
    if (others.length > 0 || after.places.length > 0) {
      throw refuse(place + 1 + lead, `${edit} fits in more than one place`);
    }
    lines = lines.toSpliced(place, before.block.length, ...after.block);
  }
  return lines.join("\n");
}

/**
 * One side of a hunk, "-" as it was or "+" as it is, and the indexes in `lines` at which it stands, word
 * for word. Where the hunk lacks context, its file begins or ends: so must `lines`.
 */
function placesOf(hunk: readonly string[], side: "-" | "+", lines: readonly string[]) {
  const block = hunk
    .filter((line) => line.startsWith(" ") || line.startsWith(side))
    .map(withoutMark);
  const atStart = hunk.findIndex(isChange) < CONTEXT_LINES;
  const atEnd = hunk.length - 1 - hunk.findLastIndex(isChange) < CONTEXT_LINES;
  const last = lines.length - (lines.at(-1) === "" ? 1 : 0) - block.length;
  const places = lines.flatMap((_, at) =>
    (at === 0 || !atStart) &&
    (at === last || !atEnd) &&
    block.every((line, offset) => line === lines[at + offset])
      ? [at]
      : [],
  );
  return { block, places: block.length === 0 ? [] : places };
}

function isChange(line: string): boolean {
  return !line.startsWith(" ");
}

function withoutMark(line: string): string {
  return line.slice(1);
}

/** The number of the line from which on most of `block` stands in `lines`. */
function nearest(block: readonly string[], lines: readonly string[]): number {
  const agreeing = lines.map(
    (_, at) => block.filter((line, offset) => line === lines[at + offset]).length,
  );
  return agreeing.indexOf(Math.max(...agreeing)) + 1;
}

function textAt(root: string, revision: string, path: string): string | undefined {
  const known = namesIn(git(root, "ls-tree", "--name-only", "-z", revision, "--", path));
  return known.length === 0 ? undefined : plain(git(root, "show", `${revision}:./${path}`));
}

function textOf(root: string, path: string): string | undefined {
  const file = join(root, path);
  return existsSync(file) ? plain(readFileSync(file, "utf8")) : undefined;
}

/** With the line ends that git keeps. */
function plain(text: string): string {
  return text.replaceAll("\r\n", "\n");
}
