// npm run bench: measures what each step costs on this machine, next to its peers.

import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseOptions } from "../terminal/command-line.ts";
import { formatColumns } from "../terminal/output.ts";
import { runProgram } from "../terminal/program.ts";
import { temporaryFolder } from "../testing/cleanup.ts";
import { prepare, readVersions } from "./install.ts";
import { claimsOf, putReport, tableOf } from "./report.ts";
import { full, measureAll, quick } from "./run.ts";
import { listSubjects } from "./servers.ts";

await runProgram(async () => {
  const options = parseOptions({
    quick: { help: "at most two minutes, for a first look", default: false },
    json: { value: "FILE", help: "write every sample to a file", default: "" },
    report: { help: "write the figures into shared/bench/README.md", default: false },
  });
  const seconds = () => Math.round(performance.now() / 1000);
  const say = (what: string) => console.error(`${String(seconds()).padStart(4)} s  ${what}`);

  await prepare(say);
  using folder = temporaryFolder("bench");
  say("making keys and certificates");
  const subjects = await listSubjects(folder.path);
  const pace = options.quick ? quick : full;
  const { samples, failures } = await measureAll(subjects, pace, say);

  const machine = `${process.platform}, ${cpus().length} cores of ${cpus()[0]?.model}`;
  const compared = [`Node.js ${process.version}`, ...readVersions()].join(", ");
  const figures = {
    about:
      `Measured on ${new Date().toISOString().slice(0, 10)} in ${seconds()} s, by a ` +
      `${options.quick ? "quick" : "full"} run. ${machine}. ${compared}.`,
    servers: subjects.map(({ name }) => name),
    samples,
    failures,
  };
  console.log(`${formatColumns(tableOf(figures))}\n`);
  for (const claim of claimsOf(figures)) console.log(claim.replaceAll("**", ""));
  for (const failure of failures) console.error(`not measured: ${failure}`);
  if (options.json !== "") writeFileSync(options.json, `${JSON.stringify(figures, null, 2)}\n`);
  if (options.report) {
    const readme = join(import.meta.dirname, "README.md");
    writeFileSync(readme, putReport(readFileSync(readme, "utf8"), figures));
    console.error("written: shared/bench/README.md");
  }
  return failures.length > 0 ? 1 : 0;
});
