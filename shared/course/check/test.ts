// npm test [STEP ...] tests the lessons; npm run test:course [STEP ...] tests the tools that check them.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { temporaryFolder, whenThisProcessEnds } from "../../testing/cleanup.ts";
import { LOOPBACK } from "../../testing/environment.ts";
import { filesBelow, generateStale } from "../generate.ts";
import { runScript } from "../script.ts";
import { chooseSteps, courseRoot } from "../steps.ts";

const USAGE = `Usage: npm test [STEP ...], npm run test:course [STEP ...]

Tests the lessons: the steps and their READMEs. test:course tests the tools that keep them true,
whether the tests of the steps can fail, and whether the exercises can be solved.
STEP is a number or a folder; all of them unless given.`;

/** The limit for a whole file. A slow machine needs minutes for the READMEs. */
const FILE_TIMEOUT_MS = 1_200_000;

const READMES = join("shared", "course", "play", "readmes.test.ts");
/** Test files that check each step: whether its tests can fail, and its exercises can be solved. */
const OF_STEPS = [
  join("shared", "course", "check", "controls.test.ts"),
  join("shared", "course", "play", "exercises.test.ts"),
];

await runScript(USAGE, async () => {
  const { values, positionals } = parseArgs({
    options: { course: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const steps = chooseSteps(positionals).map(({ name }) => name);
  const all = positionals.length === 0;
  const named = all ? [] : steps;
  generateStale(courseRoot);
  if (values.course) {
    const tools = ["shared/course", "shared/bench", "shared/limits"].flatMap(testsIn);
    return await run(all ? tools.filter((file) => file !== READMES) : OF_STEPS, named);
  }
  const beside = all ? ["shared/bakery", "shared/terminal", "shared/metrics", "shared/traces"] : [];
  return await run([READMES, ...[...steps, ...beside].flatMap(testsIn)], named);
});

function testsIn(folder: string): string[] {
  return filesBelow(join(courseRoot, folder), ".test.ts").map((file) => join(folder, file));
}

/** Runs test files. Returns the exit code. */
async function run(files: readonly string[], steps: readonly string[]): Promise<number> {
  using folder = temporaryFolder("tests");
  const options = [
    "--import=tsx/esm",
    `--import=${pathToFileURL(join(import.meta.dirname, "test-process.ts")).href}`,
    "--test",
    "--test-reporter=spec",
    "--test-concurrency=3",
    `--test-timeout=${FILE_TIMEOUT_MS}`,
  ];
  // Runs in our process group, so Ctrl+C in the terminal reaches the tests directly.
  const tests = spawn(process.execPath, [...options, ...files], {
    cwd: courseRoot,
    env: {
      ...process.env,
      COURSE_STEPS: steps.join(" "),
      COURSE_TESTS: folder.path,
      no_grpc_proxy: LOOPBACK,
    },
    stdio: "inherit",
  });
  const ended = once(tests, "exit");
  whenThisProcessEnds(
    () => tests.kill("SIGKILL"),
    async () => {
      tests.kill("SIGTERM"); // The signal may have been sent to this process only.
      await ended;
    },
  );
  const [code] = await ended;
  return code ?? 1;
}
