// Git, asked about the course.

import { spawnSync } from "node:child_process";

/**
 * Runs git in the folder `root`, in whatever repository that is.
 * @returns what it prints, as it stands.
 * @throws {Error} with git's own words, also where there is no git or no repository.
 */
export function git(root: string, ...args: string[]): string {
  // A hook of git sets these for its own repository.
  const { GIT_DIR, GIT_WORK_TREE, GIT_INDEX_FILE, GIT_PREFIX, ...env } = process.env;
  const options = { cwd: root, env, encoding: "utf8", maxBuffer: 2 ** 28 } as const;
  const { error, status, stdout, stderr } = spawnSync("git", args, options);
  if (error !== undefined) throw new Error(`git cannot be started: ${error.message}`);
  if (status !== 0) throw new Error(`git ${args[0]} failed: ${stderr.trim()}`);
  return stdout;
}

/** The names in the output of a git command that was given `-z`. */
export function namesIn(output: string): string[] {
  return output.split("\0").filter((name) => name !== "");
}
