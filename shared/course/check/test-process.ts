// Prepares a process for a test file, when imported before it: temporary folders are gone at the end, also if
// it comes before the tests have removed them.

import { temporaryFolder } from "../play/cleanup.ts";
import "../play/environment.ts"; // Programs keep the system's own folder: tsx has its cache there.

// Not in the process that starts the files.
if (!process.execArgv.includes("--test")) {
  const { path } = temporaryFolder("test");
  Object.assign(process.env, { TMPDIR: path, TEMP: path, TMP: path });

  // The process that reads the results is gone.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => process.exit(1));
}
