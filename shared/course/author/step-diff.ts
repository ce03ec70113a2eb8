// What a step changes in the one before it.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { structuredPatch } from "diff";
import { filesBelow } from "../generate.ts";

/** A file of a step that is not the same in the step before. */
export interface FileChange {
  /** Relative to the step's folder, with forward slashes. */
  readonly file: string;
  readonly kind: "new" | "changed" | "gone";
  /** Lines that are there now and were not before, blank lines and comments aside. */
  readonly added: number;
}

/**
 * The files that differ between two steps, README, tests and generated code aside.
 * @param before the folder of the earlier step; undefined if there is none: then every file is new.
 */
export function diffSteps(root: string, before: string | undefined, after: string): FileChange[] {
  const filesOf = (step: string | undefined) => (step === undefined ? [] : taughtFiles(root, step));
  const textOf = (step: string | undefined, file: string) => {
    const path = join(root, step ?? "", file);
    return step !== undefined && existsSync(path) ? readFileSync(path, "utf8") : undefined;
  };
  const files = [...new Set([...filesOf(before), ...filesOf(after)])].sort();
  return files.flatMap((file): FileChange[] => {
    const [old, now] = [textOf(before, file), textOf(after, file)];
    if (old === now) return [];
    const patch = structuredPatch(file, file, old ?? "", now ?? "", "", "", { context: 0 });
    const lines = patch.hunks.flatMap((hunk) => hunk.lines);
    const kind = old === undefined ? "new" : now === undefined ? "gone" : "changed";
    const added = lines.filter((line) => /^\+\s*(?!\/\/|\/?\*|\s)./.test(line)).length;
    return [{ file, kind, added }];
  });
}

/** The files of a step that its README teaches: code, contract and toolchain. */
function taughtFiles(root: string, step: string): string[] {
  return ["ts", "proto", "yaml"]
    .flatMap((ending) => filesBelow(join(root, step), `.${ending}`))
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => !file.startsWith("gen/") && !file.endsWith(".test.ts"));
}
