// Compares a step with the previous step.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { structuredPatch } from "diff";
import { filesBelow } from "../generate.ts";

/** A file that differs between a step and the previous step. */
export interface FileChange {
  /** Relative to the step's folder, with forward slashes. */
  readonly file: string;
  readonly kind: "new" | "changed" | "gone";
  /** The number of new lines, without blank lines and comments. */
  readonly added: number;
  /** The text in the previous step and in this one; empty if there is no file. */
  readonly old: string;
  readonly now: string;
}

/**
 * Returns the files that differ between two steps, except README, tests and generated code.
 * @param before the folder of the earlier step; if undefined, every file is new.
 */
export function diffSteps(root: string, before: string | undefined, after: string): FileChange[] {
  const olds = before === undefined ? new Map<string, string>() : stepFiles(root, before);
  const nows = stepFiles(root, after);
  const files = [...new Set([...olds.keys(), ...nows.keys()])].sort();
  return files.flatMap((file): FileChange[] => {
    const [old, now] = [olds.get(file), nows.get(file)];
    if (old === now || file.endsWith(".test.ts")) return [];
    const patch = structuredPatch(file, file, old ?? "", now ?? "", "", "", { context: 0 });
    const lines = patch.hunks.flatMap((hunk) => hunk.lines);
    const kind = old === undefined ? "new" : now === undefined ? "gone" : "changed";
    const added = lines.filter((line) => /^\+\s*(?!\/\/|\/?\*|\s)./.test(line)).length;
    return [{ file, kind, added, old: old ?? "", now: now ?? "" }];
  });
}

/** Returns the files of a step and their text, except the README and what programs write. */
export function stepFiles(root: string, step: string): Map<string, string> {
  return new Map(
    ["ts", "proto", "yaml", "yml", "json"]
      .flatMap((ending) => filesBelow(join(root, step), `.${ending}`))
      .map((file) => [file, readFileSync(join(root, step, file), "utf8")]),
  );
}

/** Returns the modules that TypeScript code imports, in order. */
export function importsIn(text: string): string[] {
  const imports = text.matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)["']([^"'\s]+)["']/g);
  return [...imports].map(([, target = ""]) => target);
}
