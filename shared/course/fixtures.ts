// Helps the tests of the course and its benchmark: runs programs until they exit, and makes small courses.

import assert from "node:assert/strict";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TemporaryFolder, temporaryFolder } from "../testing/cleanup.ts";
import { Program, type ProgramSpec } from "../testing/programs.ts";
import { readCommand } from "./play/shell.ts";
import { linkModules } from "./play/workspace.ts";
import { courseRoot } from "./steps.ts";

const env = { ...process.env, NODE_TEST_CONTEXT: undefined };

/** Runs `file`, a path relative to `root`, until it exits; see runToEnd. */
export function run(root: string, file: string, ...args: string[]) {
  const command = ["--import", "tsx/esm", join(root, file), ...args];
  return runToEnd({ file: process.execPath, args: command, cwd: root, env });
}

/** Runs a command such as `npm test` in `folder` until it exits. */
export function runCommand(folder: string, command: string) {
  const found = readCommand(command, folder, env);
  assert.ok("file" in found, `this machine has no program for ${command}`);
  return runToEnd(found);
}

/**
 * Runs a program until it exits. Returns what it printed and its exit code.
 * @throws {AssertionError} with what it printed, if it does not exit in time.
 */
export async function runToEnd(spec: ProgramSpec) {
  const program = new Program(spec);
  try {
    assert.ok(await program.ends(300_000), `still running: ${program.output()}`);
    return { exitCode: program.exitCode, output: program.output() };
  } finally {
    await program.stop();
  }
}

/** Makes a folder in which the programs of the course can run, without any steps. */
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

/** Writes files, given as paths relative to `root` and their text. */
export function writeFiles(root: string, files: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
}
