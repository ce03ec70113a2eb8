// Installs and generates what the peers need, on first use.

import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { bufProgram, generateStale } from "../course/generate.ts";
import { Program } from "../course/play/programs.ts";
import { courseRoot } from "../course/steps.ts";

const INSTALL_MS = 300_000;
const here = (...path: string[]) => join(import.meta.dirname, ...path);

/**
 * Installs the packages of this folder and generates its code, where they are missing or old.
 * @throws {Error} with the words of the program that failed.
 */
export async function prepare(say: (what: string) => void): Promise<void> {
  const installed = here("node_modules", ".package-lock.json");
  if (isOlder(installed, here("package-lock.json"))) {
    say("installing what the steps are compared with (npm ci in shared/bench)");
    const npm = process.env.npm_execpath;
    const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    if (npm?.endsWith(".js")) await must(process.execPath, [npm, ...args]);
    else await must("npm", args);
  }
  generateStale(courseRoot);
  if (isOlder(here("gen", "bakery", "v1", "catalog_pb.ts"), installed)) {
    rmSync(here("gen"), { recursive: true, force: true }); // buf would leave an unchanged file as old.
    await must(process.execPath, [bufProgram, "generate", join(courseRoot, "step-03-bidi")]);
  }
}

/** Returns the packages that a run compares, with their versions. */
export function readVersions(): string[] {
  const { packages } = JSON.parse(readFileSync(here("package-lock.json"), "utf8"));
  const names = ["@grpc/grpc-js", "nice-grpc", "@connectrpc/connect-node", "fastify"];
  return names.map((name) => `${name} ${packages[`node_modules/${name}`].version}`);
}

function isOlder(file: string, source: string): boolean {
  return !existsSync(file) || statSync(file).mtimeMs < statSync(source).mtimeMs;
}

/** Runs a program to its end, and ends it with this process: npm goes on for a while after Ctrl+C. */
async function must(file: string, args: readonly string[]): Promise<void> {
  const program = new Program({ file, args, cwd: here(), env: process.env });
  await program.ends(INSTALL_MS);
  const { exitCode } = program;
  const output = program.output();
  await program.stop();
  if (exitCode === 0) return;
  throw new Error(`${file} ${args.join(" ")} failed in shared/bench: ${output.trim()}`);
}
