// npm run bench: what each step costs on this machine, beside what others cost.

import { readFileSync, writeFileSync } from "node:fs";
import { parseOptions } from "../terminal/command-line.ts";
import { runProgram } from "../terminal/program.ts";
import { prepare, readVersions } from "./install.ts";
import { here } from "./processes.ts";
import { putReport } from "./report.ts";
import { type Part, parts, run } from "./run.ts";
import { tablesOf, toText } from "./tables.ts";
import { judge, showVerdicts } from "./verdict.ts";

async function main(): Promise<number> {
  const options = parseOptions({
    quick: { help: "under two minutes, for a first look", default: false },
    only: {
      value: "PART,...",
      help: `some of ${parts.join(", ")}`,
      default: "",
      problem: unknownPart,
    },
    json: { value: "FILE", help: "write all figures to a file", default: "" },
    report: { help: "write the figures into shared/bench/README.md", default: false },
    strict: { help: "exit code 1 if a target is missed", default: false },
  });
  const wanted = new Set(options.only === "" ? parts : namesIn(options.only));

  prepare((what) => console.error(what));
  const figures = await run(wanted, options.quick, readVersions(), showProgress());
  const verdicts = judge(figures);

  for (const table of tablesOf(figures)) console.log(`${toText(table)}\n`);
  console.log(showVerdicts(verdicts));
  for (const failure of figures.failures) console.error(`not measured: ${failure}`);
  if (options.json !== "") writeFileSync(options.json, `${JSON.stringify(figures, null, 2)}\n`);
  if (options.report) {
    const readme = here("README.md");
    writeFileSync(readme, putReport(readFileSync(readme, "utf8"), figures));
    console.error("written: shared/bench/README.md");
  }
  if (figures.failures.length > 0) return 1;
  return options.strict && verdicts.some(({ met }) => !met) ? 1 : 0;
}

function namesIn(only: string): Part[] {
  const names = only.split(",");
  return parts.filter((part) => names.includes(part));
}

function unknownPart(only: string): string | undefined {
  const unknown = only.split(",").find((name) => !parts.some((part) => part === name));
  if (only === "" || unknown === undefined) return undefined;
  return `names ${JSON.stringify(unknown)}, which is none of ${parts.join(", ")}`;
}

/** One line that changes on a terminal, and a line for each thing elsewhere. */
function showProgress(): (what: string) => void {
  const startedAt = performance.now();
  const live = process.stderr.isTTY === true;
  if (live) process.once("exit", () => process.stderr.write("\r\u001b[K"));
  return (what) => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    const line = `${String(seconds).padStart(4)} s  ${what}`;
    process.stderr.write(live ? `\r\u001b[K${line}` : `${line}\n`);
  };
}

await runProgram(main);
