// Prepares a process for a test file, when imported before it: removes temporary folders at the end, even if
// the process ends before the tests have removed them, and ends the file if a test hangs.

import { afterEach, beforeEach } from "node:test";
import { temporaryFolder } from "../../testing/cleanup.ts";
import "../../testing/environment.ts"; // Programs keep the system's temporary folder, for tsx's cache.

/** The limit for one test. `--test-timeout` would also apply to the whole file. */
const TEST_TIMEOUT_MS = 300_000;

// Not in the process that starts the files.
if (!process.execArgv.includes("--test")) {
  const { path } = temporaryFolder("test");
  // A program that outlives this process must not create the folder again, for tsx's cache.
  Object.assign(process.env, { TMPDIR: path, TEMP: path, TMP: path, TSX_DISABLE_CACHE: "1" });

  // An error means that the process that reads the results has ended.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => process.exit(1));

  const timers = new Map<string, NodeJS.Timeout>();
  beforeEach((test) => {
    const giveUp = () => {
      console.error(`"${test.name}" is still running after ${TEST_TIMEOUT_MS / 1000} s`);
      process.exit(1);
    };
    timers.set(test.name, setTimeout(giveUp, TEST_TIMEOUT_MS).unref());
  });
  afterEach((test) => clearTimeout(timers.get(test.name)));
}
