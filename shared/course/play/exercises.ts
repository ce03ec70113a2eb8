// Reads the exercises of a README: for each, the check that tells whether it is done, and the solution.

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateStale } from "../generate.ts";
import { chooseSteps } from "../steps.ts";
import { hasTools, problemsOf } from "../tools.ts";
import type { Part, Readme } from "./readme.ts";
import type { Workspace } from "./workspace.ts";

export interface Exercise {
  /** The heading, including its number: `1. Count the products`. */
  readonly title: string;
  /** The folder of its step. */
  readonly step: string;
  /** The parts of the README that check it, as a separate README. */
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

/** Applies the README's solution of an exercise to a copy of the course. */
export function solve(copy: Workspace, { step, solution }: Exercise): void {
  for (const { file, lines } of solution) copy.edit(`${step}/${file}`, lines);
}

/**
 * Prepares a changed step in a copy of the course: generates its code if the contract is newer.
 * @returns the type errors that tsc finds.
 * @throws {ExpectedError} with buf's message if the contract does not compile.
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
