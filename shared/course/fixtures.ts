// For the tests of the course, and its benchmark: programs that run to their end, and small repositories.

import assert from "node:assert/strict";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TemporaryFolder, temporaryFolder } from "../testing/cleanup.ts";
import { Program, type ProgramSpec } from "../testing/programs.ts";
import { git } from "./git.ts";
import { readCommand } from "./play/shell.ts";
import { linkModules } from "./play/workspace.ts";
import { courseRoot } from "./steps.ts";

/** What a program printed, and how it ended. */
export interface Run {
  readonly exitCode: number | undefined;
  readonly output: string;
}

const env = { ...process.env, NODE_TEST_CONTEXT: undefined };

/** Runs `file`, a path relative to `root`, to its end. */
export function run(root: string, file: string, ...args: string[]): Promise<Run> {
  const command = ["--import", "tsx/esm", join(root, file), ...args];
  return runToEnd({ file: process.execPath, args: command, cwd: root, env });
}

/** Runs a command such as `npm test` in `folder`, to its end. */
export function runCommand(folder: string, command: string): Promise<Run> {
  const found = readCommand(command, folder, env);
  assert.ok("file" in found, `this machine has no program for ${command}`);
  return runToEnd(found);
}

/** @throws {AssertionError} with what it printed, if it does not end. */
export async function runToEnd(spec: ProgramSpec): Promise<Run> {
  const program = new Program(spec);
  try {
    assert.ok(await program.ends(300_000), `still running: ${program.output()}`);
    return { exitCode: program.exitCode, output: program.output() };
  } finally {
    await program.stop();
  }
}

/** Makes a folder in which the programs of the course can run, and the steps are yet to be written. */
export function emptyCourse(): TemporaryFolder {
  const folder = temporaryFolder("fixture");
  linkModules(courseRoot, folder.path);
  for (const name of ["course", "terminal", "testing"]) {
    cpSync(join(courseRoot, "shared", name), join(folder.path, "shared", name), {
      recursive: true,
    });
  }
  writeFiles(folder.path, { "package.json": '{ "type": "module" }', ".gitignore": "gen/\n" });
  return folder;
}

/** Writes files, each given by its path relative to `root` and its text. */
export function writeFiles(root: string, files: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
}

/** Commits all that is in `root`, in a repository of its own. */
export function commitAll(root: string): void {
  git(root, "init", "--quiet");
  git(root, "add", ".");
  const author = ["-c", "user.name=A Baker", "-c", "user.email=baker@example.com"];
  git(root, ...author, "commit", "--quiet", "--no-gpg-sign", "--message=all");
}
