// What the benchmark needs beside the course: installed and generated on first use.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { bufProgram, filesBelow, generateStale } from "../course/generate.ts";
import { courseRoot, listSteps } from "../course/steps.ts";
import { here } from "./processes.ts";

/**
 * Installs the packages of this folder and generates its code, where they are missing or old.
 * @throws {Error} with the words of the program that failed.
 */
export function prepare(say: (what: string) => void): void {
  const installed = here("node_modules", ".package-lock.json");
  if (isOlder(installed, [here("package-lock.json")])) {
    say("installing what the steps are compared with (npm ci in shared/bench)");
    npm("ci", "--ignore-scripts", "--no-audit", "--no-fund");
  }
  generateStale(courseRoot);
  const newest = listSteps().at(-1)?.name ?? "";
  const contract = join(courseRoot, newest, "proto");
  const sources = filesBelow(contract, ".proto").map((file) => join(contract, file));
  const made = here("gen", "grpc-js", "bakery", "v1", "catalog.ts");
  if (isOlder(made, [here("buf.gen.yaml"), installed, ...sources])) {
    say(`generating code from the contract of ${newest}`);
    rmSync(here("gen"), { recursive: true, force: true });
    const args = ["generate", join("..", "..", newest), "--template", "buf.gen.yaml", "-o", "."];
    must(process.execPath, [bufProgram, ...args], "buf generate");
  }
}

/** The versions that a run compares, by package. */
export function readVersions(): Record<string, string> {
  const names = ["@grpc/grpc-js", "@grpc/proto-loader", "@connectrpc/connect-node"];
  const own = [...names, "nice-grpc", "fastify"].map((name) => [name, versionIn(here(), name)]);
  const ofSteps = versionIn(courseRoot, "@grpc/grpc-js");
  return { "@grpc/grpc-js (steps)": ofSteps, ...Object.fromEntries(own) };
}

function versionIn(folder: string, name: string): string {
  const manifest = readFileSync(join(folder, "node_modules", name, "package.json"), "utf8");
  return String(JSON.parse(manifest).version);
}

function isOlder(file: string, sources: readonly string[]): boolean {
  if (!existsSync(file)) return true;
  const { mtimeMs } = statSync(file);
  return sources.some((source) => statSync(source).mtimeMs > mtimeMs);
}

function npm(...args: string[]): void {
  const program = process.env.npm_execpath;
  if (program?.endsWith(".js")) must(process.execPath, [program, ...args], "npm ci");
  else must("npm", args, "npm ci", process.platform === "win32");
}

function must(program: string, args: readonly string[], name: string, shell = false): void {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: here(),
    encoding: "utf8",
    shell,
  });
  if (status === 0) return;
  const said = error?.message ?? `${stdout}${stderr}`.trim();
  throw new Error(`${name} failed in shared/bench: ${said}`);
}
