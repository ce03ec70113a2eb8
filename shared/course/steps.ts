// Finds the course on this disk, and lists its steps.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../terminal/program.ts";

/** Returns true if the course runs on this version of Node.js, such as 22.13.0; see package.json. */
export function isSupported(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  if (major === 20) return minor > 19 || (minor === 19 && patch >= 3);
  return major === 22 ? minor >= 13 : major > 22;
}

// Every npm script runs this check before it uses anything that an old Node.js lacks.
if (!isSupported(process.versions.node)) {
  const found = `this is ${process.versions.node}`;
  console.error(`The course needs Node.js 20.19.3 or newer of 20, or 22.13 or newer; ${found}.`);
  process.exit(1);
}

/** The folder of the course. */
export const courseRoot: string = join(import.meta.dirname, "..", "..");

// buf's default cache is in the home folder, which may not be writable.
process.env.BUF_CACHE_DIR ??= join(courseRoot, "node_modules", ".cache", "buf");

/** A numbered folder of the course. */
export interface Step {
  /** 1 for step-01-unary. */
  readonly number: number;
  /** The folder's name, step-01-unary. */
  readonly name: string;
}

/** Returns the steps in `root`, in order. A folder is a step once it has a buf.gen.yaml. */
export function listSteps(root: string = courseRoot): Step[] {
  return readdirSync(root)
    .filter((name) => /^step-\d\d-/.test(name) && existsSync(join(root, name, "buf.gen.yaml")))
    .sort()
    .map((name) => ({ number: Number(name.slice(5, 7)), name }));
}

/** Returns the steps named in `npm test 3`, for the tests that it starts; empty if none is named. */
export function stepsNamed(): string[] {
  return (process.env.COURSE_STEPS ?? "").split(" ").filter(Boolean);
}

/**
 * Returns the steps named as `3`, `03` or `step-03-bidi`; all steps if none is named.
 * @throws {UsageError} listing the steps that exist, if there is no such step.
 */
export function chooseSteps(names: readonly string[], root: string = courseRoot): Step[] {
  const steps = listSteps(root);
  if (names.length === 0) return steps;
  return names.map((wanted) => {
    const number = /^\d+$/.test(wanted) ? Number(wanted) : undefined;
    const folder = wanted.replace(/[\\/]+$/, "");
    const found = steps.find((step) => step.name === folder || step.number === number);
    if (found !== undefined) return found;
    const known = steps.map((step) => `  ${step.number}  ${step.name}`).join("\n");
    throw new UsageError(`there is no step ${JSON.stringify(wanted)}. The steps are:\n${known}`);
  });
}
