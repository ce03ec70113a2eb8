// Parses a README's command as a shell would, and finds the program that it names. No shell is involved,
// so the same README works on Linux, macOS and Windows.

import { accessSync, constants, existsSync, realpathSync, statSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { parse } from "shell-quote";
import type { ProgramSpec } from "../../testing/programs.ts";
import { bufProgram } from "../generate.ts";

/**
 * Parses `[NAME=VALUE ...] PROGRAM [ARGUMENTS]`, with the quoting of a POSIX shell. Lines after `<<'EOF'`
 * are standard input, up to a line `EOF`.
 * @param cwd the working directory of the terminal.
 * @returns what to start, or the name of a program that is missing on this machine.
 * @throws {Error} for any other shell syntax, such as a pipe.
 */
export function readCommand(
  command: string,
  cwd: string,
  env: NodeJS.ProcessEnv,
): ProgramSpec | { readonly missing: string } {
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

/** Finds the program itself, because a shell, npx or npm.cmd may not pass signals on to it. */
function findProgram(
  name: string,
  args: readonly string[],
): Pick<ProgramSpec, "file" | "args"> | undefined {
  const node = process.execPath;
  const [tool = "", ...rest] = args;
  if (name === "node") return { file: node, args };
  // tsx's loader alone prints the same in 0.4 instead of 0.9 s. Ctrl+C differs (npx exits with 130, and
  // tsx may kill the program), so npm run check allows Ctrl+C only after `node`.
  if (name === "npx" && tool === "tsx") return { file: node, args: ["--import", "tsx", ...rest] };
  if (name === "npx" && tool === "buf") return { file: node, args: [bufProgram, ...rest] };
  if (name === "npx") throw new Error(`a README may use npx for tsx and buf, not for ${tool}`);
  const npm = name === "npm" ? npmProgram() : undefined;
  if (npm !== undefined) return { file: node, args: [npm, ...args] };
  const file = findInPath(name);
  return file === undefined ? undefined : { file, args };
}

/** Returns npm's JavaScript file; undefined if npm is missing, for instance with only pnpm or bun. */
function npmProgram(): string | undefined {
  const bin = dirname(realpathSync(process.execPath));
  const npm = join("node_modules", "npm", "bin", "npm-cli.js");
  const inPath = findInPath("npm");
  return [
    process.env.npm_execpath ?? "", // With pnpm and bun, this is their own program.
    join(bin, npm), // on Windows
    join(bin, "..", "lib", npm),
    inPath === undefined ? "" : realpathSync(inPath),
  ].find((file) => basename(file) === "npm-cli.js" && existsSync(file));
}

function findInPath(name: string): string | undefined {
  // Excludes .cmd: Node.js refuses to start a batch file without a shell.
  const ending = process.platform === "win32" ? ".exe" : "";
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return folders
    .map((folder) => join(folder, name + ending))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return statSync(file).isFile();
      } catch {
        return false;
      }
    });
}
