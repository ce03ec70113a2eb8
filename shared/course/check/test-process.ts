// Prepares a process for a test file, when imported before it: temporary folders are gone at the end, also if
// it comes before the tests have removed them, and a test that hangs ends the file.

import { afterEach, beforeEach } from "node:test";
import { temporaryFolder } from "../../testing/cleanup.ts";
import "../../testing/environment.ts"; // Programs keep the system's own folder: tsx has its cache there.

/** For one test. `--test-timeout` would limit the whole file to the same time. */
const TEST_TIMEOUT_MS = 300_000;

// Not in the process that starts the files.
if (!process.execArgv.includes("--test")) {
  const { path } = temporaryFolder("test");
  Object.assign(process.env, { TMPDIR: path, TEMP: path, TMP: path });

  // The process that reads the results is gone.
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
