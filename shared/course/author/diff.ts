// npm run diff 3 4: what step 4 changes in step 3, as a learner wants to see it.

import { structuredPatch } from "diff";
import { UsageError } from "../../terminal/program.ts";
import { paint, runScript } from "../script.ts";
import { chooseSteps, courseRoot } from "../steps.ts";
import { diffSteps } from "./step-diff.ts";

const USAGE = "Usage: npm run diff STEP STEP";

await runScript(USAGE, async () => {
  const names = process.argv.slice(2);
  const [before, after] = names.length === 2 ? chooseSteps(names) : [];
  if (before === undefined || after === undefined) throw new UsageError(USAGE);
  for (const { file, kind, old, now } of diffSteps(courseRoot, before.name, after.name)) {
    console.log(paint("bold", `${kind}  ${after.name}/${file}`));
    // A new file is read as a file, not as a change.
    const lines = kind === "new" ? now.trimEnd().split("\n") : changedLines(file, old, now);
    console.log(`${lines.join("\n")}\n`);
  }
  return 0;
});

/** Returns the changed lines with three lines around them, marked "+" and "-". */
function changedLines(file: string, old: string, now: string): string[] {
  const { hunks } = structuredPatch(file, file, old, now, "", "", { context: 3 });
  return hunks.flatMap(({ newStart, lines }) => [
    paint("dim", `line ${newStart}`),
    ...lines.map((line) => {
      if (line.startsWith("+")) return paint("green", line);
      return line.startsWith("-") ? paint("red", line) : line;
    }),
  ]);
}
