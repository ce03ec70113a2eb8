// Installs and generates what the peers need, on first use.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { bufProgram, generateStale } from "../course/generate.ts";
import { courseRoot } from "../course/steps.ts";

const here = (...path: string[]) => join(import.meta.dirname, ...path);

/**
 * Installs the packages of this folder and generates its code, where they are missing or old.
 * @throws {Error} with the words of the program that failed.
 */
export function prepare(say: (what: string) => void): void {
  const installed = here("node_modules", ".package-lock.json");
  if (isOlder(installed, here("package-lock.json"))) {
    say("installing what the steps are compared with (npm ci in shared/bench)");
    const npm = process.env.npm_execpath;
    const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    if (npm?.endsWith(".js")) must(process.execPath, [npm, ...args]);
    else must("npm", args);
  }
  generateStale(courseRoot);
  if (isOlder(here("gen", "bakery", "v1", "catalog_pb.ts"), installed)) {
    rmSync(here("gen"), { recursive: true, force: true }); // buf would leave an unchanged file as old.
    must(process.execPath, [bufProgram, "generate", join(courseRoot, "step-03-bidi")]);
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

function must(program: string, args: readonly string[]): void {
  const shell = program === "npm" && process.platform === "win32";
  const run = spawnSync(program, args, { cwd: here(), encoding: "utf8", shell });
  if (run.status === 0) return;
  const said = run.error?.message ?? `${run.stdout}${run.stderr}`.trim();
  throw new Error(`${program} ${args.join(" ")} failed in shared/bench: ${said}`);
}
