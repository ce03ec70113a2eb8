// npm run check: checks everything that can be checked without running the course.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ExpectedError } from "../../terminal/program.ts";
import { generateStale } from "../generate.ts";
import { runScript } from "../script.ts";
import { courseRoot, listSteps } from "../steps.ts";
import { hasTools, problemsOf, type Tool } from "../tools.ts";
import { findProblems } from "./rules.ts";

const names = listSteps().map(({ name }) => name);
const checks: [title: string, tool: Tool, ...args: string[]][] = [
  ["format and lint", "biome", "check", "--error-on-warnings"],
  ["types", "tsc", "--noEmit"],
  ...names.flatMap((name, at): typeof checks => [
    [`buf lint ${name}`, "buf", "lint", name],
    [`buf format ${name}`, "buf", "format", "--diff", "--exit-code", name],
    [`buf breaking ${name}`, "buf", "breaking", name, "--against", names[at - 1] ?? name],
  ]),
];

await runScript("Usage: npm run check", async () => {
  if (!hasTools()) {
    throw new ExpectedError("npm run check needs the development packages: npm ci --include=dev");
  }
  generateStale(courseRoot);
  let failed = 0;
  const report = (title: string, problem: string) => {
    console.log(`${problem === "" ? "ok    " : "FAILED"}  ${title}`);
    if (problem === "") return;
    console.error(problem.replace(/^/gm, "        "));
    failed++;
  };
  for (const [title, tool, ...args] of checks) {
    report(title, await problemsOf(courseRoot, tool, ...args));
  }
  report("rules of the course", findProblems(courseRoot).join("\n"));
  const unproven = withoutIntegrity(readFileSync(join(courseRoot, "package-lock.json"), "utf8"));
  if (unproven.length > 0) {
    console.log(
      `warning package-lock.json: no integrity (see CONTRIBUTING.md): ${unproven.join(", ")}`,
    );
  }
  return failed > 0 ? 1 : 0;
});

/** Returns the packages of a lockfile whose downloads npm cannot verify. */
function withoutIntegrity(lockfile: string): string[] {
  const { packages }: { packages: Record<string, { integrity?: string }> } = JSON.parse(lockfile);
  return Object.entries(packages)
    .filter(([name, { integrity }]) => name !== "" && integrity === undefined)
    .map(([name]) => name.replace("node_modules/", ""));
}
