// npm run grade STEP: runs the checks of a step's exercises against the learner's own code.

import { join } from "node:path";
import { parseArgs } from "node:util";
import { UsageError } from "../../terminal/program.ts";
import { isStale } from "../generate.ts";
import { paint, runScript } from "../script.ts";
import { courseRoot } from "../steps.ts";
import { build, type Exercise, exercisesOf } from "./exercises.ts";
import { perform } from "./perform.ts";
import { listReadmes } from "./readme.ts";
import { showEnd, terminals } from "./report.ts";

const USAGE = `Usage: npm run grade STEP [-- --exercise N]

Tells which exercises of a step you have done, under "Your turn" in its README. STEP is a number or a folder.
Runs their commands in a copy of this folder as it is now, and compares what they print.

  --exercise N   checks exercise N alone`;

/** How long a command may take, or its expected output may fail to appear. */
const TIMEOUT_MS = 30_000;

let types = ""; // the errors that tsc finds in the learner's step

await runScript(USAGE, async () => {
  const { values, positionals } = parseArgs({
    options: { exercise: { type: "string" } },
    allowPositionals: true,
  });
  if (positionals.length !== 1) throw new UsageError(`name one step\n\n${USAGE}`);
  const [readme] = listReadmes(courseRoot, positionals);
  const all = readme === undefined ? [] : exercisesOf(readme);
  const chosen = all.filter((_, at) => [undefined, `${at + 1}`].includes(values.exercise));
  if (chosen.length === 0) {
    const titles = all.map(({ title }) => `\n  ${title}`).join("") || " none";
    throw new UsageError(`${readme?.file} has no such exercise. Its exercises:${titles}`);
  }
  let done = 0;
  for (const exercise of chosen) {
    console.log(paint("bold", `\n${exercise.title}`));
    const places = await grade(exercise);
    if (places.length === 0) done++;
    const verdict = `✗ not done yet: see ${places.join(", ")}`;
    const success = `✓ done${types === "" ? "" : ", but tsc finds errors"}`;
    console.log(`\n  ${places.length === 0 ? paint("green", success) : paint("red", verdict)}`);
  }
  console.log(`\nExercises done: ${done} of ${chosen.length}.`);
  if (done < chosen.length) console.log(`${readme?.file} has hints and a solution for each.`);
  const tests = types.includes("/step.test.ts(") ? " (the tests use your types too)" : "";
  if (types !== "") console.log(`\nnpx tsc --noEmit says${tests}:\n${types.replace(/^/gm, "  ")}`);
  const stale = chosen.some(({ step }) => isStale(join(courseRoot, step)));
  if (stale) console.log(`\nYour own gen/ is out of date: npm run generate ${positionals[0]}`);
  return done === chosen.length ? 0 : 1;
});

/** Runs an exercise's check. Returns the places in the README that differ. */
async function grade({ step, check }: Exercise): Promise<string[]> {
  const places: string[] = [];
  await perform(courseRoot, check, {
    timeoutMs: TIMEOUT_MS,
    prepare: async (copy) => {
      types = await build(copy, step);
    },
    audience: {
      ...terminals,
      outcome(outcome, terminal) {
        const { act, result, reason, exitCode } = outcome;
        showEnd(outcome);
        if (result === "as written") console.log(paint("green", "  ✓ as expected"));
        if (result !== "different") return true;
        const code = act.exitCode === undefined ? [] : [`? ${act.exitCode}`];
        const expected = [...act.expected, ...code].map((line) => `\n      ${line}`).join("");
        console.log(`${paint("red", "  ✗ different:")}\n${reason.replace(/^/gm, "    ")}`);
        const place = `${check.file}:${act.line}`;
        places.push(place);
        console.log(`    the whole expected output (${place}):${expected || " nothing"}`);
        // The following commands would only report that nothing listens.
        const gone = terminal !== undefined && act.exitCode === undefined && exitCode !== undefined;
        const why = `because the program in terminal \`${terminal}\` has ended`;
        if (gone) console.log(`\n  Not run: the remaining commands, ${why}`);
        return !gone;
      },
    },
  });
  return places;
}
