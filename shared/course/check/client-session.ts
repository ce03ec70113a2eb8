// A client that is used several times in one process: starting one for each command takes too long.
// Takes the client's file, then one argument for each command line, as JSON.

import { pathToFileURL } from "node:url";

const [client = "", ...commandLines] = process.argv.slice(2);
for (const [at, words] of commandLines.entries()) {
  process.argv = [process.execPath, client, ...JSON.parse(words)];
  process.exitCode = undefined;
  // A new query makes the module run again; what it imports stays loaded.
  await import(`${pathToFileURL(client).href}?${at}`);
  console.log(`ended ${process.exitCode}`);
}
process.exitCode = 0;
