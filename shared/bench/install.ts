// Installs and generates what the peers need, on first use.

import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../course/fixtures.ts";
import { generateStale } from "../course/generate.ts";
import { courseRoot } from "../course/steps.ts";

const here = (...path: string[]) => join(import.meta.dirname, ...path);

/**
 * Installs this folder's packages if they are missing or out of date, and generates its code.
 * @throws {Error} with the output of the program that failed.
 */
export async function prepare(say: (what: string) => void): Promise<void> {
  const installed = here("node_modules", ".package-lock.json");
  const wanted = here("package-lock.json");
  if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(wanted).mtimeMs) {
    say("installing what the steps are compared with (npm ci in shared/bench)");
    await must("npm ci --ignore-scripts --no-audit --no-fund");
  }
  generateStale(courseRoot);
  await must("npx buf generate ../../step-03-bidi");
}

/** Returns the names and versions of the packages that a run compares. */
export function readVersions(): string[] {
  const { packages } = JSON.parse(readFileSync(here("package-lock.json"), "utf8"));
  const names = ["@grpc/grpc-js", "nice-grpc", "@connectrpc/connect-node", "fastify"];
  return names.map((name) => `${name} ${packages[`node_modules/${name}`].version}`);
}

async function must(command: string): Promise<void> {
  const { exitCode, output } = await runCommand(here(), command);
  if (exitCode !== 0) throw new Error(`${command} failed in shared/bench: ${output.trim()}`);
}
