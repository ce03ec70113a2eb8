// npm run diff 3 4: shows a learner what step 4 changes in step 3.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { createPatch } from "diff";
import { UsageError } from "../../terminal/program.ts";
import { committedText } from "../git.ts";
import { paint, runScript } from "../script.ts";
import { chooseSteps, courseRoot } from "../steps.ts";
import { diffSteps } from "./step-diff.ts";

const HEADER_LINES = 4; // of a patch: the names of the files
const USAGE = "Usage: npm run diff STEP STEP";

await runScript(USAGE, async () => {
  const names = process.argv.slice(2);
  const [before, after] = names.length === 2 ? chooseSteps(names) : [];
  if (before === undefined || after === undefined) throw new UsageError(USAGE);
  const isClone = existsSync(join(courseRoot, ".git"));
  for (const { file, old: here, now } of diffSteps(courseRoot, before.name, after.name)) {
    // A learner's own edits in the previous step are not part of the difference.
    const old = isClone ? (committedText(courseRoot, `${before.name}/${file}`) ?? "") : here;
    if (old === now) continue;
    const kind = old === "" ? "new" : now === "" ? "gone" : "changed";
    console.log(paint("bold", `${kind}  ${after.name}/${file}`));
    const patch = createPatch(file, old, now).trimEnd().split("\n").slice(HEADER_LINES);
    // Shows a new file as it is, not as a patch.
    const lines = kind === "new" ? now.trimEnd().split("\n") : patch.map(paintChange);
    console.log(`${lines.join("\n")}\n`);
  }
  return 0;
});

function paintChange(line: string): string {
  if (line.startsWith("@@")) return paint("dim", line);
  if (line.startsWith("+")) return paint("green", line);
  return line.startsWith("-") ? paint("red", line) : line;
}
