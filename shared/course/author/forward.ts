// npm run forward: carries an edit of one step into all later ones.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { courseRoot } from "../steps.ts";
import { type Carried, CarryConflict, carryForward } from "./carry.ts";

const HELP = `Usage: npm run forward [-- [--since REV] [--keep FILE]]

Edit a file of a step, then run this: the same edit is made in every later step where the lines around
it are the same. Where they are not, it says so and changes nothing in any step.

  --since REV   carries what has changed since this revision (HEAD: what is not committed)
  --keep FILE   you have edited FILE of a later step by hand: it stays as it is, and what it has
                become is carried on; may be given several times`;

const words: Readonly<Record<Carried["outcome"], string>> = {
  carried: "carried",
  "there already": "there already",
  "kept as it is": "kept as it is",
  "not in this step": "skipped: this step does not have the file",
  "its own": "not carried: every step has its own",
};

try {
  const { values } = readArguments();
  if (values.help) console.log(HELP);
  else process.exitCode = forward(values.since, values.keep);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

/** Gives the exit code. */
function forward(since: string, keep: readonly string[]): number {
  try {
    carry(since, new Set(keep.map((file) => file.replaceAll("\\", "/"))));
    return 0;
  } catch (error) {
    if (!(error instanceof CarryConflict)) throw error;
    const { message, file } = error;
    const options = [`--since ${since}`, ...[...keep, file].map((kept) => `--keep ${kept}`)];
    const command = `npm run forward -- ${options.slice(since === "HEAD" ? 1 : 0).join(" ")}`;
    console.error(`${message}\nNothing has been changed. Edit ${file} by hand, then run`);
    console.error(`  ${command}`);
    return 1;
  }
}

function carry(since: string, keep: ReadonlySet<string>): void {
  const carried = carryForward(courseRoot, since, keep);
  for (const { file, outcome, text } of carried) {
    const path = join(courseRoot, file);
    if (outcome === "carried" && text === undefined) rmSync(path);
    if (outcome === "carried" && text !== undefined) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    console.log(`${file}: ${words[outcome]}`);
  }
  if (carried.length === 0) console.log(`no step has an edit to carry since ${since}`);
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        since: { type: "string", default: "HEAD" },
        keep: { type: "string", multiple: true, default: [] },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
  }
}
