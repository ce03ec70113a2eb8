// Reads a command of a README as a shell would, and finds the program that it names. No shell runs, so
// that the same README plays on Linux, macOS and Windows.

import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { parse } from "shell-quote";
import { bufProgram } from "../generate.ts";
import type { ProgramSpec } from "./programs.ts";

/** A command that names a program which this machine does not have. */
export interface MissingTool {
  readonly missing: string;
}

/**
 * Reads `[NAME=VALUE ...] PROGRAM [ARGUMENTS]`, with the quotes of a POSIX shell. After `<<'EOF'` come
 * lines of standard input, up to a line `EOF`.
 * @param cwd the folder that the terminal is in.
 * @throws {Error} for anything else that a shell knows, such as a pipe.
 */
export function readCommand(
  command: string,
  cwd: string,
  env: NodeJS.ProcessEnv,
): ProgramSpec | MissingTool {
  const [, line = command, , input] = /^([^\n]*)<<'(\w+)'\n(.*\n)\2$/s.exec(command) ?? [];
  const words = parse(line, (name) => env[name] ?? "").map((word) => {
    if (typeof word === "string") return word;
    if ("pattern" in word) return word.pattern;
    throw new Error(`a README's command may not use ${JSON.stringify(word)}: ${command}`);
  });
  const assigned: NodeJS.ProcessEnv = {};
  while (/^[A-Z][A-Z0-9_]*=/.test(words[0] ?? "")) {
    const [name = "", ...value] = (words.shift() ?? "").split("=");
    assigned[name] = value.join("=");
  }
  const [name = "", ...args] = words;
  const program = findProgram(name, args);
  if (program === undefined) return { missing: name };
  return { cwd, ...program, env: { ...env, ...assigned }, ...(input !== undefined && { input }) };
}

/**
 * `npx tsx` and `npx buf` are started without npx, which would stand between us and the program: a
 * signal would end npx and leave the program behind.
 */
function findProgram(
  name: string,
  args: readonly string[],
): Pick<ProgramSpec, "file" | "args"> | undefined {
  const node = process.execPath;
  const [tool = "", ...rest] = args;
  if (name === "node") return { file: node, args };
  if (name === "npx" && tool === "tsx")
    return { file: node, args: ["--import", "tsx/esm", ...rest] };
  if (name === "npx" && tool === "buf") return { file: node, args: [bufProgram, ...rest] };
  if (name === "npx") throw new Error(`a README may use npx for tsx and buf, not for ${tool}`);
  if (name === "npm" && process.env.npm_execpath) {
    return { file: node, args: [process.env.npm_execpath, ...args] };
  }
  const file = findInPath(name);
  return file === undefined ? undefined : { file, args };
}

function findInPath(name: string): string | undefined {
  const endings = process.platform === "win32" ? [".exe", ".cmd"] : [""];
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return folders
    .flatMap((folder) => endings.map((ending) => join(folder, name + ending)))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return statSync(file).isFile();
      } catch {
        return false;
      }
    });
}
