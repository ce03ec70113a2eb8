// Rules for the code of the steps: how long its files are, how much a step adds, what it may import.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { serversOf } from "../../testing/step-servers.ts";
import { diffSteps, importsIn } from "../author/step-diff.ts";
import { filesBelow } from "../generate.ts";
import type { Readme } from "../play/readme.ts";
import type { Step } from "../steps.ts";

const MAX_COLUMNS = 100;
const MAX_LINES = 120;
const MAX_SERVER_LINES = 80;
const MAX_ADDED_LINES = 150;
/** Steps that may add more, and how much: they bring a service, or a server. */
const addedLinesAllowed = new Map([
  [1, Number.POSITIVE_INFINITY],
  [3, 300],
  [10, 300],
  [12, 300],
]);

/** Finds files that are longer or wider than a reader takes in at once. */
export function sizeProblems(root: string, step: Step): string[] {
  const files = ["server.ts", ...serversOf(join(root, step.name)).map(({ file }) => file)];
  const servers = files.map((file) => `${step.name}/${file}`);
  return filesOf(root, step.name).flatMap(({ file, lines }) => {
    if (file.endsWith(".test.ts")) return [];
    const limit = servers.includes(file) ? MAX_SERVER_LINES : MAX_LINES;
    const wide = lines.findIndex((line) => line.length > MAX_COLUMNS);
    const long = `${file}: ${lines.length} lines, ${limit} allowed: split it where its task divides`;
    const broad = `${file}:${wide + 1}: wider than ${MAX_COLUMNS} columns: break the line`;
    return [...(lines.length > limit ? [long] : []), ...(wide >= 0 ? [broad] : [])];
  });
}

/** Finds a step that adds too much for one, and whose README does not say why. */
export function growthProblems(
  root: string,
  before: Step | undefined,
  step: Step,
  readme: Readme | undefined,
): string[] {
  const added = diffSteps(root, before?.name, step.name)
    .filter(({ file }) => file.endsWith(".ts"))
    .reduce((total, change) => total + change.added, 0);
  const allowed = addedLinesAllowed.get(step.number) ?? MAX_ADDED_LINES;
  const excused = readme?.parts.some(
    (part) => part.kind === "prose" && part.text.startsWith("**Why so much.**"),
  );
  if (added <= allowed || excused) return [];
  return [
    `${step.name}: adds ${added} lines of code, ${allowed} allowed: teach one thing less, or say why ` +
      'in a paragraph of its README that begins with "**Why so much.**"',
  ];
}

/** Finds steps that use another step: each is complete in itself, and may use shared/ alone. */
export function stepImportProblems(root: string, step: Step): string[] {
  return importsOf(root, step.name)
    .filter(({ target }) => /\bstep-\d\d-/.test(target))
    .map(
      ({ place, target }) => `${place}: imports ${target}: copy what is needed into ${step.name}`,
    );
}

/** Finds gRPC in what must not know any transport. */
export function grpcProblems(root: string, folder: string): string[] {
  return importsOf(root, folder)
    .filter(({ target }) => /grpc|protobuf|\/gen\/|ts-proto/.test(target))
    .map(({ place, target }) => `${place}: imports ${target}: gRPC belongs into a step, not here`);
}

/** Returns the TypeScript files in `folder` and below, generated ones aside. */
function filesOf(root: string, folder: string): { file: string; lines: string[] }[] {
  return filesBelow(join(root, folder), ".ts").map((file) => {
    const text = readFileSync(join(root, folder, file), "utf8");
    return { file: `${folder}/${file}`, lines: text.trimEnd().split("\n") };
  });
}

function importsOf(root: string, folder: string): { place: string; target: string }[] {
  return filesOf(root, folder).flatMap(({ file, lines }) =>
    lines.flatMap((line, at) =>
      importsIn(line).map((target) => ({ place: `${file}:${at + 1}`, target })),
    ),
  );
}
