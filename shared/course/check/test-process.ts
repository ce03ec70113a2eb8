// Prepares a process for a test file, when imported before it. Each test has a limit; --test-timeout would
// limit the file as a whole, however many tests it has. Temporary folders are gone at the end, also if it
// comes before the tests have removed them.

import { afterEach, beforeEach } from "node:test";
import { temporaryFolder } from "../play/cleanup.ts";
import "../play/environment.ts"; // Programs keep the system's own folder: tsx has its cache there.

const LIMIT_MS = 300_000;

// Not in the process that starts the files.
if (!process.execArgv.includes("--test")) {
  const { path } = temporaryFolder("test");
  Object.assign(process.env, { TMPDIR: path, TEMP: path, TMP: path });

  // The process that reads the results is gone.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => process.exit(1));

  const timers = new WeakMap<object, NodeJS.Timeout>();
  beforeEach((test) => {
    const end = () => {
      console.error(`"${test.name}" is still running after ${LIMIT_MS / 1000} s`);
      process.exit(1);
    };
    timers.set(test, setTimeout(end, LIMIT_MS).unref());
  });
  afterEach((test) => clearTimeout(timers.get(test)));
}
