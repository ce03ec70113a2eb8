// Checks the code of the steps: how long its files are, how much a step adds, what it imports.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { serversOf } from "../../testing/step-servers.ts";
import { type FileChange, importsIn } from "../author/step-diff.ts";
import { filesBelow } from "../generate.ts";
import type { Readme } from "../play/readme.ts";
import type { Step } from "../steps.ts";

const MAX_COLUMNS = 100;
const MAX_LINES = 120;
const MAX_SERVER_LINES = 80;
const MAX_ADDED_LINES = 150;
/** How many lines a step may add if it introduces a service or a server. */
const mayAdd: Record<number, number> = { 1: Number.POSITIVE_INFINITY, 3: 300, 10: 300, 12: 300 };

/** Finds files with too many lines, or with lines that are too wide. */
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

/** Finds a step that adds too many lines without a reason in its README. */
export function growthProblems(readme: Readme, changes: readonly FileChange[]): string[] {
  const step = dirname(readme.file);
  const added = changes
    .filter(({ file }) => file.endsWith(".ts"))
    .reduce((total, change) => total + change.added, 0);
  const allowed = mayAdd[Number(step.slice(5, 7))] ?? MAX_ADDED_LINES;
  const excused = readme.parts.some(
    (part) => part.kind === "prose" && part.text.startsWith("**So much code?**"),
  );
  if (added <= allowed || excused) return [];
  return [
    `${step}: adds ${added} lines of code, ${allowed} allowed: teach one thing less, or say why ` +
      'in a paragraph of its README that begins with "**So much code?**"',
  ];
}

/**
 * Finds forbidden imports in `folder`: a step is self-contained and may import only from shared/, and the
 * domain must not depend on a transport.
 */
export function importProblems(root: string, folder: string): string[] {
  const [forbidden, advice] = folder.startsWith("step-")
    ? [/\bstep-\d\d-/, `copy what is needed into ${folder}`]
    : [/grpc|protobuf|\/gen\/|ts-proto/, "gRPC belongs into a step, not here"];
  return filesOf(root, folder).flatMap(({ file, lines }) =>
    lines.flatMap((line, at) =>
      importsIn(line)
        .filter((target) => forbidden.test(target))
        .map((target) => `${file}:${at + 1}: imports ${target}: ${advice}`),
    ),
  );
}

/** Returns the TypeScript files in `folder` and below, except generated ones. */
function filesOf(root: string, folder: string): { file: string; lines: string[] }[] {
  return filesBelow(join(root, folder), ".ts").map((file) => {
    const text = readFileSync(join(root, folder, file), "utf8");
    return { file: `${folder}/${file}`, lines: text.trimEnd().split("\n") };
  });
}
