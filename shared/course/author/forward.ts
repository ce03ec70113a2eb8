// npm run forward: carries an edit of one step into all later ones.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { writeFiles } from "../fixtures.ts";
import { committedText, git, hasMarkers, merge, namesIn } from "../git.ts";
import { runScript } from "../script.ts";
import { courseRoot, listSteps } from "../steps.ts";

const USAGE = `Usage: npm run forward

Edit a file of a step, and run this before you commit: the edit is merged into the same file of every later
step. Where it is in conflict with what the later step has, the file shows both, between markers. Edit it,
and run this again: it goes on from there. READMEs and tests are not carried: each step has its own.`;

/** The text of a file; undefined if there is no file. */
type Text = string | undefined;

/** A file in the next step after an edit, and the outcome in words. If stuck, the author has to act first. */
type Carried = { readonly text: Text; readonly outcome: string; readonly stuck?: boolean };

await runScript(USAGE, async () => {
  parseArgs(); // It takes no arguments.
  const steps = listSteps().map(({ name }) => name);
  const edited = editedFiles(steps);
  const stuck = edited.map((file) => carry(file, steps)).some(Boolean);
  if (edited.length === 0) console.log("no step has an edit to carry since the last commit");
  return stuck ? 1 : 0;
});

/** Returns the files that have been edited in any step, relative to the step. */
function editedFiles(steps: readonly string[]): string[] {
  const changes = ["diff", "--name-only", "--no-renames", "--relative", "-z", "HEAD", "--"];
  const untracked = ["ls-files", "--others", "--exclude-standard", "-z", "--"];
  const paths = [changes, untracked].flatMap((args) => namesIn(git(courseRoot, ...args, ...steps)));
  const files = paths.map((path) => path.slice(path.indexOf("/") + 1));
  return [...new Set(files)]
    .filter((file) => file !== "README.md" && !file.endsWith(".test.ts"))
    .sort();
}

/** Carries the edits of `file` from step to step. Returns true if it is stuck at one. */
function carry(file: string, steps: readonly string[]): boolean {
  let [from, before, after]: [string, Text, Text] = ["", undefined, undefined];
  for (const step of steps) {
    const path = `${step}/${file}`;
    const [old, here] = [committedText(courseRoot, path), textOf(path)];
    if (before !== after && old === undefined && here === undefined && before !== undefined) {
      console.log(`${path}: not in this step`);
      continue;
    }
    let now = here;
    if (before !== after) {
      const { text, outcome, stuck } = carryInto(path, here, { from, before, after });
      console.log(`${path}: ${outcome}`);
      if (text === undefined) rmSync(join(courseRoot, path), { force: true });
      else if (text !== here) writeFiles(courseRoot, { [path]: text });
      if (stuck) return true;
      now = text;
    }
    [from, before, after] = [path, old, now];
  }
  return false;
}

/** Merges an edit of the file `from` into the text `here` of the file `path`. */
function carryInto(
  path: string,
  here: Text,
  { from, before, after }: { from: string; before: Text; after: Text },
): Carried {
  if (here === after) return { text: here, outcome: "there already" };
  if (here === before) return { text: after, outcome: "carried" };
  const stuck = (why: string) => ({ text: here, outcome: `STUCK: ${why}`, stuck: true });
  if (before === undefined) return stuck(`is here already, and is not the new ${from}`);
  if (after === undefined) return stuck(`differs from ${from}, which is gone: remove it by hand`);
  if (here === undefined)
    return stuck(`is gone, while ${from} is edited: edit what took its place`);
  const goOn = "edit what is between the markers, then run npm run forward again";
  if (hasMarkers(here)) return stuck(goOn);
  const merged = merge(
    { name: path, text: here },
    { name: `${from}, before the edit`, text: before },
    { name: `${from}, edited`, text: after },
  );
  if (!hasMarkers(merged)) {
    return { text: merged, outcome: merged === here ? "there already" : "carried" };
  }
  if (isResolved(path, before, after)) return { text: here, outcome: "kept as you resolved it" };
  return { text: merged, outcome: `CONFLICT: ${goOn}`, stuck: true };
}

/**
 * Returns true if the conflict of this edit with the file `path` has been shown before: a file without
 * markers is then resolved. Conflicts that were shown are recorded in the .git folder.
 */
function isResolved(path: string, before: string, after: string): boolean {
  const note = git(courseRoot, "rev-parse", "--git-path", "course-forward").trimEnd();
  const notes = resolve(courseRoot, note);
  const hash = createHash("sha256").update([path, before, after].join("\0")).digest("hex");
  if (existsSync(notes) && readFileSync(notes, "utf8").includes(hash)) return true;
  writeFileSync(notes, `${hash}\n`, { flag: "a" });
  return false;
}

function textOf(path: string): Text {
  const file = join(courseRoot, path);
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}
