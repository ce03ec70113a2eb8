// Checks the rules of the course that a program can check.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { diffSteps } from "../author/step-diff.ts";
import { listReadmes } from "../play/readme.ts";
import { listSteps } from "../steps.ts";
import { growthProblems, importProblems, sizeProblems } from "./code-rules.ts";
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

/** Returns every violation of a rule in the course in `root`, as `file:line: what, and what to do`. */
export function findProblems(root: string): string[] {
  const steps = listSteps(root);
  const missing = ["README.md", ...steps.map(({ name }) => `${name}/README.md`)]
    .filter((file) => !existsSync(join(root, file)))
    .map((file) => `${file}: is missing: every step has its lesson, and the course its map`);
  if (missing.length > 0) return missing;
  const readmes = listReadmes(root, []);
  const lessons = readmes.filter(({ file }) => file !== "README.md");
  return [
    ...steps.flatMap((step) => sizeProblems(root, step)),
    ...steps.flatMap(({ name }) => importProblems(root, name)),
    ...lessons.flatMap((lesson, at) => {
      const changes = diffSteps(root, steps[at - 1]?.name, dirname(lesson.file));
      return [...growthProblems(lesson, changes), ...changeTableProblems(lesson, changes)];
    }),
    ...["shared/bakery", "shared/terminal"].flatMap((folder) => importProblems(root, folder)),
    ...readmes.flatMap((readme) => [
      ...quoteProblems(root, readme),
      ...captionProblems(readme),
      ...exerciseProblems(readme),
      ...interruptProblems(readme),
    ]),
    ...lessons.flatMap(sectionProblems),
    ...linkProblems(steps, readmes),
    ...glossaryProblems(readmes),
    ...secretProblems(root),
  ];
}
