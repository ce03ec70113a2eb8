// The exercises of a README: the check that tells whether one is done, and the solution.

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateStale } from "../generate.ts";
import { chooseSteps } from "../steps.ts";
import { hasTools, problemsOf } from "../tools.ts";
import type { Part, Readme } from "./readme.ts";
import type { Workspace } from "./workspace.ts";

export interface Exercise {
  /** With its number: `1. Count the products`. */
  readonly title: string;
  /** The folder of its step. */
  readonly step: string;
  /** What is performed to check it, as a README of its own. */
  readonly check: Readme;
  readonly solution: readonly Extract<Part, { kind: "edit" }>[];
}

/** Returns the exercises of a step's README, in order. */
export function exercisesOf(readme: Readme): Exercise[] {
  return readme.parts.flatMap((heading) => {
    if (heading.kind !== "heading" || !heading.exercise) return [];
    const own = readme.parts.filter(({ exercise }) => exercise === heading.exercise);
    const parts = own
      .filter(({ folded }) => folded === undefined)
      .map((part) => ({ ...part, exercise: undefined }));
    const solution = own.filter((part) => part.kind === "edit");
    const [step = ""] = readme.file.split("/");
    return [{ title: heading.text, step, check: { ...readme, parts }, solution }];
  });
}

/** Solves an exercise in a copy of the course, as its README does. */
export function solve(copy: Workspace, { step, solution }: Exercise): void {
  for (const { file, lines } of solution) copy.edit(`${step}/${file}`, lines);
}

/**
 * Makes a changed step in a copy of the course ready to run: generates its code, if its contract is newer.
 * @returns what tsc says of its types.
 * @throws {ExpectedError} with buf's own words when the contract does not compile.
 */
export async function build(copy: Workspace, step: string): Promise<string> {
  generateStale(copy.root, chooseSteps([step]));
  if (!hasTools()) return "";
  const config = { extends: "./tsconfig.json", include: [step] };
  const file = join(copy.root, `${step}.json`);
  writeFileSync(file, JSON.stringify(config));
  const problems = await problemsOf(copy.root, "tsc", "--noEmit", "--pretty", "false", "-p", file);
  rmSync(file);
  return problems;
}
