// Runs biome, buf and tsc, which find mistakes without running a program.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { bufProgram } from "./generate.ts";
import { courseRoot } from "./steps.ts";

const modules = join(courseRoot, "node_modules");
const programs = {
  buf: bufProgram,
  biome: join(modules, "@biomejs", "biome", "bin", "biome"),
  tsc: join(modules, "typescript", "bin", "tsc"),
};

export type Tool = keyof typeof programs;

/** Returns false if the development packages, which include biome and tsc, are not installed. */
export function hasTools(): boolean {
  return Object.values(programs).every(existsSync);
}

/** Runs a tool in the folder `cwd`. Resolves to the problems that it found; empty if there are none. */
export function problemsOf(cwd: string, tool: Tool, ...args: string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, [programs[tool], ...args], { cwd }, (error, out, err) =>
      resolve(error === null ? "" : `${out}${err}`.trim() || error.message),
    );
  });
}
