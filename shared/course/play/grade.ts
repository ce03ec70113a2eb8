// npm run grade STEP: runs the checks of a step's exercises against the learner's own code.

import { parseArgs } from "node:util";
import { UsageError } from "../../terminal/program.ts";
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
    const titles = all.map(({ title }) => `\n  ${title}`).join("");
    throw new UsageError(
      `${readme?.file} has no such exercise. Its exercises:${titles || " none"}`,
    );
  }
  let done = 0;
  for (const exercise of chosen) {
    console.log(paint("bold", `\n${exercise.title}`));
    const places = await grade(exercise);
    if (places.length === 0) done++;
    const verdict = `✗ not done yet: see ${places.join(", ")}`;
    console.log(`\n  ${places.length === 0 ? paint("green", "✓ done") : paint("red", verdict)}`);
  }
  const total = `${chosen.length} exercise${chosen.length === 1 ? "" : "s"}`;
  console.log(`\n${done} of ${total} done.`);
  if (done < chosen.length) console.log(`${readme?.file} has hints and a solution for each.`);
  return done === chosen.length ? 0 : 1;
});

/** Returns where the README expects what didn't come. */
async function grade({ step, check }: Exercise): Promise<string[]> {
  let types = "";
  const outcomes = await perform(courseRoot, check, {
    timeoutMs: TIMEOUT_MS,
    prepare: async (copy) => {
      types = await build(copy, step);
    },
    audience: {
      ...terminals,
      print(lines, terminal) {
        const own = lines.filter((line) => !/^ {4}at .*(node_modules|node:)/.test(line));
        terminals.print?.(own, terminal);
      },
      outcome(outcome, terminal) {
        const { act, result, reason, exitCode } = outcome;
        showEnd(outcome);
        if (result === "as written") console.log(paint("green", "  ✓ as expected"));
        if (result !== "different") return true;
        const code = act.exitCode === undefined ? [] : [`? ${act.exitCode}`];
        const expected = [...act.expected, ...code].map((line) => `\n      ${line}`).join("");
        console.log(`${paint("red", "  ✗ different:")}\n${reason.replace(/^/gm, "    ")}`);
        console.log(
          `    all that is expected (${check.file}:${act.line}):${expected || " nothing"}`,
        );
        // The commands after it would only say that nothing listens.
        const broken =
          terminal !== undefined && act.exitCode === undefined && exitCode !== undefined;
        if (broken) console.log(`\n  Not run: the other commands, without terminal ${terminal}`);
        return !broken;
      },
    },
  });
  if (types !== "") console.log(`\n  npx tsc --noEmit says:\n${types.replace(/^/gm, "    ")}`);
  return outcomes.flatMap(({ result, act }) =>
    result === "different" ? [`${check.file}:${act.line}`] : [],
  );
}
