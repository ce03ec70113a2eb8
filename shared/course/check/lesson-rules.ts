// Checks the lessons: their form, their length, and whether what they say about files is true.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FileChange } from "../author/step-diff.ts";
import { captionOf, EXERCISES, isCaption, type Part, type Readme } from "../play/readme.ts";
import type { Step } from "../steps.ts";

const [MIN_WORDS, MAX_WORDS] = [350, 900];

/** The sections of a step's README, in order, and the purpose of each. */
export const sections: Readonly<Record<string, string>> = {
  "You will": "Two or three outcomes, as a list.",
  Predict: "One concrete question. The answer is folded away in <details>.",
  "What changed": "A row for each file that is new, changed or gone. Then one to three excerpts.",
  "Run it": "Terminals, full commands, output. A Mermaid diagram where messages cross.",
  "On the wire": "What really travels: path, metadata, frames, status.",
  "Break it": "One edit or one wrong input, and the different output.",
  [EXERCISES]:
    "One or two exercises, ### 1. Title: a goal, its check in console blocks, <details> with Hints and Solution.",
  "In production": "At most five caveats, each with what to do.",
};

/** Returns the rows of a section's tables, without their headers. */
function rowsOf(parts: readonly Part[], section: string): { line: number; cells: string[] }[] {
  return parts.flatMap((part) => {
    if (part.section !== section || part.kind !== "prose" || !part.text.startsWith("|")) return [];
    return part.text.split("\n").flatMap((row, at) => {
      const cells = row.split(/(?<!\\)\|/).map((cell) => cell.trim());
      return at < 2 ? [] : [{ line: part.line + at, cells: cells.slice(1, -1) }];
    });
  });
}

/** Finds terms of the glossary that are not in bold in the README of the step that they link to. */
export function glossaryProblems(readmes: readonly Readme[]): string[] {
  const map = readmes.find(({ file }) => file === "README.md");
  return rowsOf(map?.parts ?? [], "Glossary").flatMap(
    ({ line, cells: [term = "", , step = ""] }) => {
      const [, link] = /\]\((.+)\)/.exec(step) ?? [];
      const lesson = readmes.find((readme) => readme.file === link);
      if (lesson === undefined)
        return [`README.md:${line}: ${term} must link to the README of its step`];
      const text = lesson.parts.map((part) => (part.kind === "prose" ? part.text : "")).join("\n");
      const bold = [...text.matchAll(/\*\*([^*]+)\*\*/g)].map(([, words = ""]) => plain(words));
      return bold.includes(plain(term))
        ? []
        : [`${link}: must introduce **${term}**: the glossary says so`];
    },
  );
}

/** Returns a term in the form used to compare it: one line, lower case, no backticks, no plural s. */
function plain(term: string): string {
  return term.toLowerCase().replaceAll("`", "").replace(/\s+/g, " ").replace(/s$/, "");
}

/** Compares the tables under "What changed" with the files that differ, in any order. */
export function changeTableProblems(
  { file, parts }: Readme,
  changes: readonly FileChange[],
): string[] {
  const rows = rowsOf(parts, "What changed");
  const said = new Map(
    rows.flatMap(({ cells: [name = "", kind = ""] }) => {
      const [, quoted] = /^`([^`]+)`$/.exec(name) ?? [];
      return quoted === undefined ? [] : [[quoted, kind] as const];
    }),
  );
  const place = `${file}:${rows[0]?.line ?? 1}`;
  const missing = changes.filter(({ file: name, kind }) => said.get(name) !== kind);
  const needless = [...said.keys()].filter((name) => !changes.some((one) => one.file === name));
  const table = `${place}: What changed`;
  return [
    ...missing.map(({ file: name, kind }) => `${table} must have a row | \`${name}\` | ${kind} |`),
    ...needless.map((name) => `${table} has a row for ${name}, which is the same: take it out`),
  ];
}

/** Finds quotations that do not appear verbatim in the file that they name. */
export function quoteProblems(root: string, { file, parts }: Readme): string[] {
  return parts.flatMap((part) => {
    if (part.kind !== "quote") return [];
    const place = `${file}:${part.line}`;
    if (part.file === undefined) {
      return [`${place}: name the quoted file: \`\`\`${part.language} FILE`];
    }
    const path = join(root, file, "..", part.file);
    if (!existsSync(path))
      return [`${place}: quotes ${part.file}, which does not exist: correct its name`];
    const quoted = readFileSync(path, "utf8");
    return `\n${quoted}`.includes(`\n${part.text}\n`)
      ? []
      : [`${place}: these lines are not in ${part.file}: quote it as it is`];
  });
}

/** Finds blocks without their caption, and captions without their block. */
export function captionProblems({ file, parts }: Readme): string[] {
  return parts.flatMap((part, at) => {
    const above = parts[at - 1];
    const wanted = captionOf(part);
    const found = above?.kind === "prose" && isCaption(above) ? above.text : undefined;
    if (found === wanted) return [];
    const place = `${file}:${part.line}`;
    return wanted === undefined
      ? [`${place}: ${found} must stand directly above the block that it names`]
      : [`${place}: write ${wanted} directly above this block, as a paragraph of its own`];
  });
}

/** Finds Ctrl+C in a terminal that runs npx: tsx may kill the program before it prints its last lines. */
export function interruptProblems({ file, parts }: Readme): string[] {
  const running = new Map<string | undefined, string>();
  return parts.flatMap((part) => {
    if (part.kind !== "transcript") return [];
    return part.acts.flatMap(({ kind, command, line }) => {
      if (kind === "run") running.set(part.terminal, command);
      const isLossy = kind === "interrupt" && running.get(part.terminal)?.includes("npx tsx");
      return isLossy ? [`${file}:${line}: ^C needs node --import tsx instead of npx tsx`] : [];
    });
  });
}

/** Finds exercises that do not have the common form; see `sections`. */
export function exerciseProblems({ file, parts }: Readme): string[] {
  const exercises = parts.flatMap((part) =>
    part.exercise !== undefined && part.kind === "heading" && part.depth > 2 ? [part] : [],
  );
  const section = parts.find(({ exercise }) => exercise === 0);
  if (section === undefined) return [];
  const count = exercises.length >= 1 && exercises.length <= 2;
  return [
    ...(count ? [] : [`${file}:${section.line}: ${EXERCISES} must have one or two exercises`]),
    ...exercises.flatMap(({ exercise, text, line, depth }) => {
      const own = parts.filter((part) => part.exercise === exercise);
      const inside = (kind: string, folded?: string) =>
        own.some((part) => part.kind === kind && part.folded === folded);
      const folds = own.flatMap((part) =>
        part.kind === "prose" && part.text.startsWith("<details>") ? [part.folded] : [],
      );
      const rules: [holds: boolean, rule: string][] = [
        [depth === 3 && text.startsWith(`${exercise}. `), `is headed ### ${exercise}. Title`],
        [inside("transcript"), "shows its check in a console block, not folded"],
        [folds.join() === "Hints,Solution", "ends with <details>: Hints, then Solution"],
        [inside("edit", "Solution"), "has its solution in diff blocks"],
        [!inside("edit") && !inside("edit", "Hints"), "has no diff but its solution"],
      ];
      const place = `${file}:${line}`;
      return rules.flatMap(([holds, rule]) => (holds ? [] : [`${place}: an exercise ${rule}`]));
    }),
  ];
}

/** Finds lessons that do not have the common form, or are too long. */
export function sectionProblems({ file, title, parts }: Readme): string[] {
  const problems: string[] = [];
  const found = parts.flatMap((part) =>
    part.kind === "heading" && part.depth === 2 ? [part.text] : [],
  );
  if (!/^Step \d\d: ./.test(title)) problems.push(`${file}: the title must be "Step NN: …"`);
  const wanted = Object.keys(sections).join(", ");
  if (found.join(", ") !== wanted) {
    problems.push(`${file}: sections are ${found.join(", ")}; they must be ${wanted}`);
  }
  const words = parts
    .filter(({ exercise, folded }) => exercise === undefined || folded === undefined)
    .filter((part) => !isCaption(part))
    .flatMap((part) => (part.kind === "prose" || part.kind === "heading" ? [part.text] : []))
    .filter((text) => !/^\||^<!--/.test(text)) // Tables and comments do not count as prose.
    .join(" ")
    .split(/\s+/)
    .filter((word) => /[a-z0-9]/i.test(word)).length;
  if (words < MIN_WORDS || words > MAX_WORDS) {
    const remedy = words < MIN_WORDS ? "write what is not said" : "cut what nobody would miss";
    const range = `a lesson has ${MIN_WORDS} to ${MAX_WORDS}`;
    problems.push(`${file}: ${words} words of prose; ${range}: ${remedy}`);
  }
  return problems;
}

/** Finds steps that the map of the course or the previous step does not link to. */
export function linkProblems(steps: readonly Step[], readmes: readonly Readme[]): string[] {
  const proseOf = (file: string) => {
    const parts = readmes.find((readme) => readme.file === file)?.parts ?? [];
    return parts.filter((part) => part.kind === "prose");
  };
  const rows = proseOf("README.md").filter(({ section }) => section === "The steps");
  const map = rows.map(({ text }) => text).join("\n");
  return steps.flatMap(({ name }, at) => {
    const file = `${name}/README.md`;
    const next = steps[at + 1]?.name;
    const last = proseOf(file).at(-1)?.text ?? "";
    const link = `](../${next}/README.md)`;
    const leads = last.startsWith("Next: [Step ") && last.endsWith(link);
    return [
      ...(map.includes(`(${file})`) ? [] : [`README.md: The steps must have a row for (${file})`]),
      ...(next === undefined || leads ? [] : [`${file}: must end with Next: [Step NN: …${link}`]),
    ];
  });
}
