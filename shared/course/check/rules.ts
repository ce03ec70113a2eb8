// The rules of the course that a machine can hold. Each gives problems in words that say what to do.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { diffSteps } from "../author/step-diff.ts";
import { filesBelow } from "../generate.ts";
import { listReadmes, type Readme } from "../play/readme.ts";
import { listSteps, type Step } from "../steps.ts";
import { secretProblems } from "./secrets.ts";

const MAX_COLUMNS = 100;
const MAX_LINES = 120;
const MAX_SERVER_LINES = 80;
const [MIN_WORDS, MAX_WORDS] = [350, 900];
const MAX_ADDED_LINES = 150;
/** Steps that may add more, and how much: step 03 brings a service and three calls. */
const addedLinesAllowed: Readonly<Record<number, number>> = { 1: Number.POSITIVE_INFINITY, 3: 300 };

/** The sections of a step's README, in order. */
export const sections: readonly string[] = [
  "You will",
  "Predict",
  "What changed",
  "Run it",
  "On the wire",
  "Break it",
  "In production",
];

/** Everything that is wrong with the course in `root`, each as `file:line: what, and what to do`. */
export function findProblems(root: string): string[] {
  const steps = listSteps(root);
  const missing = ["README.md", ...steps.map(({ name }) => `${name}/README.md`)]
    .filter((file) => !existsSync(join(root, file)))
    .map((file) => `${file}: is missing: every step has its lesson, and the course its map`);
  if (missing.length > 0) return missing;
  const readmes = listReadmes(root, []);
  return [
    ...steps.flatMap((step) => sizeProblems(root, step)),
    ...steps.flatMap((step) => stepImportProblems(root, step)),
    ...steps.flatMap((step, at) => {
      const readme = readmes.find(({ file }) => file === `${step.name}/README.md`);
      return [
        ...growthProblems(root, steps[at - 1], step, readme),
        ...(readme === undefined ? [] : changeTableProblems(root, steps[at - 1], step, readme)),
      ];
    }),
    ...["shared/bakery", "shared/terminal"].flatMap((folder) => grpcProblems(root, folder)),
    ...readmes.flatMap((readme) => quoteProblems(root, readme)),
    ...readmes.filter(({ file }) => file !== "README.md").flatMap(sectionProblems),
    ...linkProblems(steps, readmes),
    ...secretProblems(root),
  ];
}

/** Files that are longer or wider than a reader takes in at once. */
function sizeProblems(root: string, step: Step): string[] {
  return filesOf(root, step.name).flatMap(({ file, lines }) => {
    if (file.endsWith(".test.ts")) return [];
    const limit = file.endsWith("/server.ts") ? MAX_SERVER_LINES : MAX_LINES;
    const wide = lines.findIndex((line) => line.length > MAX_COLUMNS);
    return [
      ...(lines.length > limit
        ? [`${file}: ${lines.length} lines, ${limit} allowed: split it where its task divides`]
        : []),
      ...(wide >= 0
        ? [`${file}:${wide + 1}: wider than ${MAX_COLUMNS} columns: break the line`]
        : []),
    ];
  });
}

/** A step that adds too much is two steps, unless its README says why it is not. */
function growthProblems(
  root: string,
  before: Step | undefined,
  step: Step,
  readme: Readme | undefined,
): string[] {
  const added = diffSteps(root, before?.name, step.name)
    .filter(({ file }) => file.endsWith(".ts"))
    .reduce((total, change) => total + change.added, 0);
  const allowed = addedLinesAllowed[step.number] ?? MAX_ADDED_LINES;
  const excused = readme?.parts.some(
    (part) => part.kind === "prose" && part.text.startsWith("**Why so much.**"),
  );
  if (added <= allowed || excused) return [];
  return [
    `${step.name}: adds ${added} lines of code, ${allowed} allowed: teach one thing less, or say why ` +
      'in a paragraph of its README that begins with "**Why so much.**"',
  ];
}

/** The table under "What changed" names the files that differ, no more and no less. */
function changeTableProblems(
  root: string,
  before: Step | undefined,
  step: Step,
  { file, parts }: Readme,
): string[] {
  const table = parts.find(
    ({ kind }, at) => kind === "prose" && isUnder(parts, at, "What changed"),
  );
  const rows = table?.kind === "prose" ? table.text.split("\n") : [];
  const said = new Map(
    rows.flatMap((row) => {
      const [, name, kind] = /^\|\s*`([^`]+)`\s*\|\s*(\w+)\s*\|/.exec(row) ?? [];
      return name === undefined || kind === undefined ? [] : [[name, kind] as const];
    }),
  );
  const place = `${file}:${table?.line ?? 1}`;
  const real = diffSteps(root, before?.name, step.name);
  return [
    ...real
      .filter((change) => said.get(change.file) !== change.kind)
      .map(
        (change) =>
          `${place}: What changed must have a row | \`${change.file}\` | ${change.kind} |`,
      ),
    ...[...said.keys()]
      .filter((name) => !real.some((change) => change.file === name))
      .map(
        (name) => `${place}: What changed has a row for ${name}, which is the same: take it out`,
      ),
  ];
}

/** True for the first table below the heading `title`. */
function isUnder(parts: Readme["parts"], at: number, title: string): boolean {
  const part = parts[at];
  if (part?.kind !== "prose" || !part.text.startsWith("|")) return false;
  const heading = parts.slice(0, at).findLast(({ kind }) => kind === "heading");
  return heading?.kind === "heading" && heading.text === title;
}

/** A step is complete in itself: it may use shared/, never another step. */
function stepImportProblems(root: string, step: Step): string[] {
  return importsOf(root, step.name)
    .filter(({ target }) => /\bstep-\d\d-/.test(target))
    .map(
      ({ place, target }) => `${place}: imports ${target}: copy what is needed into ${step.name}`,
    );
}

/** The domain and the terminal know no transport. */
function grpcProblems(root: string, folder: string): string[] {
  return importsOf(root, folder)
    .filter(({ target }) => /grpc|protobuf|\/gen\/|ts-proto/.test(target))
    .map(({ place, target }) => `${place}: imports ${target}: gRPC belongs into a step, not here`);
}

/** A quotation is a verbatim part of the file that it names. */
function quoteProblems(root: string, { file, parts }: Readme): string[] {
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
      : [`${place}: these lines do not stand in ${part.file}: quote it as it is`];
  });
}

/** One form for every lesson, short enough to be read. */
function sectionProblems({ file, title, parts }: Readme): string[] {
  const problems: string[] = [];
  const found = parts.flatMap((part) =>
    part.kind === "heading" && part.depth === 2 ? [part.text] : [],
  );
  if (!/^Step \d\d: ./.test(title)) problems.push(`${file}: the title must be "Step NN: …"`);
  if (found.join() !== sections.join()) {
    problems.push(`${file}: sections are ${found.join(", ")}; they must be ${sections.join(", ")}`);
  }
  const words = parts
    .flatMap((part) => (part.kind === "prose" || part.kind === "heading" ? [part.text] : []))
    .filter((text) => !/^\||^<!--/.test(text)) // A table is looked up, not read; a comment not shown.
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

/** The way through the course: its map leads to every step, and each step to the next. */
function linkProblems(steps: readonly Step[], readmes: readonly Readme[]): string[] {
  const proseOf = (file: string) =>
    readmes
      .filter((readme) => readme.file === file)
      .flatMap(({ parts }) => parts.flatMap((part) => (part.kind === "prose" ? [part.text] : [])));
  const map = proseOf("README.md").join("\n");
  return steps.flatMap(({ name }, at) => {
    const file = `${name}/README.md`;
    const next = steps[at + 1]?.name;
    const last = proseOf(file).at(-1) ?? "";
    const link = `](../${next}/README.md)`;
    const leads = last.startsWith("Next: [Step ") && last.endsWith(link);
    return [
      ...(map.includes(`(${file})`) ? [] : [`README.md: The steps must have a row for (${file})`]),
      ...(next === undefined || leads ? [] : [`${file}: must end with Next: [Step NN: …${link}`]),
    ];
  });
}

/** The TypeScript files in `folder` and below, generated ones aside. */
function filesOf(root: string, folder: string): { file: string; lines: string[] }[] {
  return filesBelow(join(root, folder), ".ts")
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => !file.startsWith("gen/"))
    .map((file) => ({
      file: `${folder}/${file}`,
      lines: readFileSync(join(root, folder, file), "utf8")
        .trimEnd()
        .split("\n"),
    }));
}

function importsOf(root: string, folder: string): { place: string; target: string }[] {
  return filesOf(root, folder).flatMap(({ file, lines }) =>
    lines.flatMap((line, at) => {
      const target = /(?:\bfrom\s+|\bimport\s*\(?\s*)["']([^"']+)["']/.exec(line)?.[1];
      return target === undefined ? [] : [{ place: `${file}:${at + 1}`, target }];
    }),
  );
}
