// The rules of the course that a program can check.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { listReadmes } from "../play/readme.ts";
import { listSteps } from "../steps.ts";
import { growthProblems, grpcProblems, sizeProblems, stepImportProblems } from "./code-rules.ts";
import {
  captionProblems,
  changeTableProblems,
  exerciseProblems,
  glossaryProblems,
  interruptProblems,
  linkProblems,
  quoteProblems,
  sectionProblems,
} from "./lesson-rules.ts";
import { secretProblems } from "./secrets.ts";

/** Returns all that breaks a rule in the course in `root`, each as `file:line: what, and what to do`. */
export function findProblems(root: string): string[] {
  const steps = listSteps(root);
  const missing = ["README.md", ...steps.map(({ name }) => `${name}/README.md`)]
    .filter((file) => !existsSync(join(root, file)))
    .map((file) => `${file}: is missing: every step has its lesson, and the course its map`);
  if (missing.length > 0) return missing;
  const readmes = listReadmes(root, []);
  return [
    ...steps.flatMap((step) => sizeProblems(root, step)),
    ...steps.flatMap((step) => stepImportProblems(root, step)),
    ...steps.flatMap((step, at) => {
      const readme = readmes.find(({ file }) => file === `${step.name}/README.md`);
      return [
        ...growthProblems(root, steps[at - 1], step, readme),
        ...(readme === undefined ? [] : changeTableProblems(root, steps[at - 1], step, readme)),
      ];
    }),
    ...["shared/bakery", "shared/terminal"].flatMap((folder) => grpcProblems(root, folder)),
    ...readmes.flatMap((readme) => [
      ...quoteProblems(root, readme),
      ...captionProblems(readme),
      ...exerciseProblems(readme),
      ...interruptProblems(readme),
    ]),
    ...readmes.filter(({ file }) => file !== "README.md").flatMap(sectionProblems),
    ...linkProblems(steps, readmes),
    ...glossaryProblems(readmes),
    ...secretProblems(root),
  ];
}
