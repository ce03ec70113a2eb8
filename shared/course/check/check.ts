// npm run check: all that can be checked without running the course.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ExpectedError } from "../../terminal/program.ts";
import { generateStale } from "../generate.ts";
import { runScript } from "../script.ts";
import { courseRoot, listSteps } from "../steps.ts";
import { hasTools, problemsOf, type Tool } from "../tools.ts";
import { findProblems } from "./rules.ts";

/** Resolves to what is wrong, empty if nothing is. */
type Check = () => Promise<string>;

const tool =
  (name: Tool, ...args: string[]): Check =>
  () =>
    problemsOf(courseRoot, name, ...args);

const names = listSteps().map(({ name }) => name);
const checks: [title: string, check: Check][] = [
  ["format and lint", tool("biome", "check", "--error-on-warnings")],
  ["types", tool("tsc", "--noEmit")],
  ...names.flatMap((name, at): [string, Check][] => {
    const previous = names[at - 1] ?? name;
    return [
      [`buf lint ${name}`, tool("buf", "lint", name)],
      [`buf format ${name}`, tool("buf", "format", "--diff", "--exit-code", name)],
      [`buf breaking ${name}`, tool("buf", "breaking", name, "--against", previous)],
    ];
  }),
  ["rules of the course", async () => findProblems(courseRoot).join("\n")],
];

await runScript("Usage: npm run check", async () => {
  if (!hasTools()) {
    throw new ExpectedError("npm run check needs the development packages: npm ci --include=dev");
  }
  generateStale(courseRoot);
  let failed = 0;
  for (const [title, check] of checks) {
    const problem = await check();
    console.log(`${problem === "" ? "ok    " : "FAILED"}  ${title}`);
    if (problem === "") continue;
    console.error(problem.replace(/^/gm, "        "));
    failed++;
  }
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
