// npm test [STEP ...]: everything that runs, or what concerns some steps.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { filesBelow, generateStale } from "../generate.ts";
import { chooseSteps, courseRoot, listSteps } from "../steps.ts";

// A slow machine needs minutes for a README of many commands; a test that hangs ends here.
const TEST_TIMEOUT_MS = 120_000;

// Tests of the course that can be asked of some steps alone, through COURSE_STEPS.
const ofEachStep = ["readmes.test.ts", "controls.test.ts"];

try {
  const wanted = process.argv.slice(2);
  const steps = chooseSteps(wanted).map(({ name }) => name);
  generateStale(courseRoot);
  const files =
    wanted.length === 0
      ? ["shared", ...listSteps().map(({ name }) => name)].flatMap(testsOf)
      : [...steps.flatMap(testsOf), ...ofEachStep.map((file) => join("shared", "course", file))];
  const options = [
    "--import=tsx/esm",
    "--test",
    "--test-reporter=spec",
    "--test-concurrency=3",
    `--test-timeout=${TEST_TIMEOUT_MS}`,
  ];
  const env = { ...process.env, COURSE_STEPS: wanted.length === 0 ? "" : steps.join(" ") };
  const { status } = spawnSync(process.execPath, [...options, ...files], {
    cwd: courseRoot,
    env,
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

function testsOf(folder: string): string[] {
  return filesBelow(join(courseRoot, folder), ".test.ts")
    .filter((file) => !/(^|[\\/])node_modules[\\/]/.test(file))
    .map((file) => join(folder, file));
}
