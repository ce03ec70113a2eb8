// Runs git commands for the tools of the course.

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ExpectedError } from "../terminal/program.ts";
import { temporaryFolder } from "../testing/cleanup.ts";

/**
 * Runs git in the folder `root` of any repository.
 * @returns what it prints, unchanged.
 * @throws {ExpectedError} with git's message, or if there is no git or no repository.
 */
export function git(root: string, ...args: string[]): string {
  const { status, stdout, stderr } = run(root, args);
  if (status !== 0) throw new ExpectedError(`git ${args[0]} failed: ${stderr.trim()}`);
  return stdout;
}

/** Returns the names in the output of a git command that was given `-z`. */
export function namesIn(output: string): string[] {
  return output.split("\0").filter((name) => name !== "");
}

/** Returns a file's text in the last commit, or undefined if it isn't there. `path` is relative to `root`. */
export function committedText(root: string, path: string): string | undefined {
  const known = git(root, "ls-tree", "--name-only", "HEAD", "--", path);
  return known === "" ? undefined : git(root, "show", `HEAD:./${path}`);
}

/**
 * Merges the changes that the first and the third text make to the second. Conflict markers show the names.
 * For git, a changed line next to a new line is a conflict. Here it is not, because steps often add lines
 * next to others.
 */
export function merge(...versions: readonly { name: string; text: string }[]): string {
  using folder = temporaryFolder("merge");
  for (const [at, { text }] of versions.entries()) writeFileSync(join(folder.path, `${at}`), text);
  const labels = versions.flatMap(({ name }) => ["-L", name]);
  const args = ["merge-file", "-p", "--diff3", ...labels, "0", "1", "2"];
  const { status, stdout, stderr } = run(folder.path, args);
  if (status === null || status > 127) throw new Error(`git merge-file failed: ${stderr.trim()}`);
  return stdout.replace(
    /^<{7} [^\n]*\n(.*?)^\|{7} [^\n]*\n(.*?)^={7}\n(.*?)^>{7} [^\n]*\n/gms,
    (marked, here: string, before: string, after: string) => changed(here, before, after) ?? marked,
  );
}

/** Returns true if `text` still contains conflict markers. */
export function hasMarkers(text: string): boolean {
  return /^(<{7}|>{7}) /m.test(text);
}

/**
 * Applies the change from `before` to `after` to `here`, line by line, unless `here` already has it.
 * @returns undefined if a changed line is missing from `here`, or occurs more than once.
 */
function changed(here: string, before: string, after: string): string | undefined {
  const [old, now] = [before.split("\n"), after.split("\n")];
  if (old.length !== now.length) return undefined;
  const lines = here.split("\n");
  for (const [at, line] of old.entries()) {
    const edited = now[at] ?? "";
    const places = [line, edited].map((text) => lines.filter((other) => other === text).length);
    if (line === edited || (places[0] === 0 && places[1] === 1)) continue;
    if (places[0] !== 1) return undefined;
    lines[lines.indexOf(line)] = edited;
  }
  return lines.join("\n");
}

function run(root: string, args: readonly string[]) {
  // Git sets these for its hooks; they would select the wrong repository.
  const { GIT_DIR, GIT_WORK_TREE, GIT_INDEX_FILE, GIT_PREFIX, ...env } = process.env;
  const options = { cwd: root, env, encoding: "utf8", maxBuffer: 2 ** 28 } as const;
  const ended = spawnSync("git", args, options);
  if (ended.error !== undefined) throw new Error(`git cannot be started: ${ended.error.message}`);
  return ended;
}
