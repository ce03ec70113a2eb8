// Writes the generated code of each step (step-*/gen) from its proto files.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync, utimesSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { ExpectedError } from "../terminal/program.ts";
import { runScript } from "./script.ts";
import { chooseSteps, courseRoot } from "./steps.ts";

/** The program behind `npx buf`; run it with process.execPath. */
export const bufProgram: string = createRequire(import.meta.url).resolve("@bufbuild/buf/bin/buf");

const DESCRIPTORS = join("gen", "descriptors.binpb");

/**
 * Returns the files in `folder` and below whose names end with `ending`, as sorted paths relative to
 * `folder`, with forward slashes. Leaves out generated code and packages.
 */
export function filesBelow(folder: string, ending: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(ending) && !/^(.*\/)?(gen|node_modules)\//.test(file))
    .sort();
}

/** Returns true if a generated file of this step is missing, or older than its source. */
export function isStale(stepFolder: string): boolean {
  const protos = filesBelow(join(stepFolder, "proto"), ".proto");
  const sources = [
    join(stepFolder, "buf.gen.yaml"),
    ...protos.map((file) => join(stepFolder, "proto", file)),
  ];
  const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs));
  const generated = protos.map((file) => join("gen", file.replace(/\.proto$/, ".ts")));
  const missing = [DESCRIPTORS, ...generated].some((file) => !existsSync(join(stepFolder, file)));
  return missing || statSync(join(stepFolder, DESCRIPTORS)).mtimeMs < newest;
}

/** Generates code that is missing or stale, in these steps in `root`, by default in all; see generate. */
export function generateStale(root: string, steps = chooseSteps([], root)): void {
  for (const { name } of steps) {
    if (isStale(join(root, name))) generate(root, name);
  }
}

/**
 * Generates the code of a step, and its descriptors: a google.protobuf.FileDescriptorSet with its proto
 * files, their imports and their comments.
 * @throws {ExpectedError} with buf's message if the contract does not compile.
 */
export function generate(root: string, step: string): void {
  const folder = join(root, step);
  for (const args of [["generate"], ["build", "--as-file-descriptor-set", "-o", DESCRIPTORS]]) {
    const { status, stderr } = spawnSync(process.execPath, [bufProgram, ...args], {
      cwd: folder,
      encoding: "utf8",
    });
    if (status !== 0) {
      throw new ExpectedError(`buf ${args[0]} failed in ${step}:\n${stderr.trim()}`);
    }
  }
  // buf does not write a file whose content is unchanged, but isStale needs the time of this run.
  utimesSync(join(folder, DESCRIPTORS), new Date(), new Date());
  console.log(`generated ${step}/gen`);
}

const USAGE = `Usage: npm run generate [STEP ...]

Generates the code of each STEP, a number or a folder; of all steps unless given.

  --stale   only where it is missing or older than its contract`;

// npm run generate [STEP ...]; npm install runs it with --stale.
if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await runScript(USAGE, async () => {
    const { values, positionals } = parseArgs({
      options: { stale: { type: "boolean", default: false } },
      allowPositionals: true,
    });
    if (values.stale) generateStale(courseRoot);
    else for (const { name } of chooseSteps(positionals)) generate(courseRoot, name);
    return 0;
  });
}
