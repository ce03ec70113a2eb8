// npm start [STEP ...] [-- --yes]: presents the course step by step, and really runs every command.

import { parseArgs } from "node:util";
import { generateStale } from "../generate.ts";
import { paint, runScript } from "../script.ts";
import { chooseSteps, courseRoot } from "../steps.ts";
import { type Audience, type Outcome, perform } from "./perform.ts";
import { layOut } from "./prose.ts";
import { isCaption, listReadmes, type Part, type Readme } from "./readme.ts";
import { describeDifference, showEnd, terminals } from "./report.ts";

const USAGE = `Usage: npm start [STEP ...] [-- --yes]

Plays the steps to you: what each README says, then its commands, run for real.
STEP is a number or a folder; all steps if none is named.

  --yes   do not wait for Enter between the parts`;

/** The width of text: at most 100, because longer lines are hard to read on any terminal. */
const WIDTH = Math.min(process.stdout.columns || 100, 100);

await runScript(USAGE, async () => {
  const { values, positionals } = parseArgs({
    options: { yes: { type: "boolean", short: "y", default: false } },
    allowPositionals: true,
  });
  const names = chooseSteps(positionals).map(({ name }) => name);
  generateStale(courseRoot);
  const waits = process.stdin.isTTY && process.stdout.isTTY && !values.yes;

  let differences = 0;
  const readmes = listReadmes(courseRoot, names);
  for (const [at, readme] of readmes.entries()) {
    console.log(paint("bold", `\n[${at + 1}/${readmes.length}] ${readme.title}`));
    const outcomes = await play(readme, waits);
    if (outcomes === undefined) return 0;
    differences += outcomes.filter(({ result }) => result === "different").length;
  }
  if (differences > 0) {
    console.error(`${differences} outputs differ from what the README shows (see above)`);
    return 1;
  }
  console.log(`\nPlayed ${readmes.length === 1 ? "one step" : `${readmes.length} steps`}.`);
  return 0;
});

/** Performs a README. Returns undefined if the user quits. */
async function play(readme: Readme, waits: boolean): Promise<Outcome[] | undefined> {
  let quit = false;
  const audience: Audience = {
    async part(part) {
      quit = waits && isPause(part) && !(await pause());
      const text = show(part);
      if (!quit && text !== "") console.log(`\n${text}`);
      return !quit;
    },
    ...terminals,
    outcome(outcome) {
      showEnd(outcome);
      if (outcome.result === "different")
        console.log(`\nThis differs from the README: ${describeDifference(readme, outcome)}`);
      return true;
    },
  };
  const outcomes = await perform(courseRoot, readme, { audience });
  return quit ? undefined : outcomes;
}

/** Returns true if the user must press a key before this part: a section or an answer. */
function isPause(part: Part): boolean {
  if (part.kind === "heading") return part.depth === 2;
  return part.exercise === undefined && part.kind === "prose" && part.text.startsWith("<details>");
}

/** Returns a part as text for the terminal; empty for a part that is shown in another way. */
function show(part: Part): string {
  if (part.exercise !== undefined && part.folded !== undefined) {
    const isFirst = part.kind === "prose" && /^<details>.*Hints/s.test(part.text);
    return isFirst ? paint("dim", "(Hints and a solution are in the README.)") : "";
  }
  if (part.kind === "heading") return part.depth === 1 ? "" : paint("bold", part.text);
  if (part.kind === "prose" && isCaption(part)) {
    const shownBelow = part.exercise === undefined && part.text.startsWith("**Terminal");
    return shownBelow ? "" : paint("bold", part.text.replace(/[*`]/g, ""));
  }
  if (part.kind === "prose") {
    return layOut(part.text.replace(/<\/?(details|summary)>|<!--.*?-->/gs, "").trim(), WIDTH);
  }
  if (part.kind === "transcript" && part.exercise === undefined) return "";
  if (part.kind === "figure" && part.language === "mermaid") return "  (a diagram: see the README)";
  const text = part.kind === "edit" ? part.lines.join("\n") : part.text;
  return text.replace(/^/gm, "  | ");
}

/** Waits for a key. Resolves to false if the user quits. */
function pause(): Promise<boolean> {
  process.stdout.write(paint("dim", "\nEnter: go on, q: quit "));
  process.stdin.setRawMode(true).resume();
  return new Promise((resolve) => {
    const choose = (key: Buffer) => {
      const [typed = ""] = String(key);
      if (!"\r\nq\u0003".includes(typed)) return; // \u0003 is Ctrl+C, which raw mode passes on as input.
      process.stdin.off("data", choose).setRawMode(false).pause();
      process.stdout.write("\n");
      resolve("\r\n".includes(typed));
    };
    process.stdin.on("data", choose);
  });
}
