// Copies the course, so that a README's edits and leftover files never touch the original.

import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { type TemporaryFolder, temporaryFolder } from "../../testing/cleanup.ts";

/** Never copied: not part of the course, large, or created by its commands. */
const leftBehind = new Set(["node_modules", ".git", ".ci", "keys", "certs", "prometheus-data"]);

export class Workspace implements Disposable {
  /** The folder of the copy. */
  readonly root: string;
  readonly #folder: TemporaryFolder;

  /** Copies the course in `original`; its node_modules are linked, not copied. */
  constructor(original: string) {
    this.#folder = temporaryFolder("copy");
    this.root = this.#folder.path;
    cpSync(original, this.root, {
      recursive: true,
      filter: (file) => file === original || !leftBehind.has(basename(file)),
      preserveTimestamps: true,
    });
    linkModules(original, this.root);
  }

  /**
   * Applies a diff block to a file.
   * @param lines with their marker: "-" to remove, "+" to add, " " to keep. For a file that does not exist,
   *   all lines are "+".
   * @returns a function that undoes the edit.
   * @throws {Error} if the lines to change are missing from the file, or occur more than once.
   */
  edit(file: string, lines: readonly string[]): () => void {
    const path = join(this.root, file);
    const exists = existsSync(path);
    const text = exists ? readFileSync(path, "utf8") : "";
    const side = (marker: string) =>
      lines.filter((line) => line === "" || line.startsWith(" ") || line.startsWith(marker));
    const [before, after] = ["-", "+"].map((marker) =>
      side(marker)
        .map((line) => `${line.slice(1)}\n`)
        .join(""),
    );
    const isNew = !exists && before === "";
    const pieces = isNew ? ["", ""] : `\n${text}`.split(`\n${before}`);
    if (pieces.length !== 2) {
      const found = pieces.length === 1 ? "are not" : "are more than once";
      throw new Error(
        `${file}: the lines to edit ${found} in it. Did you make the edit yourself? Undo it first.`,
      );
    }
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, pieces.join(`\n${after}`).slice(1));
    return () => (exists ? writeFileSync(path, text) : rmSync(path));
  }

  [Symbol.dispose](): void {
    this.#folder.remove();
  }
}

/** Lets the programs in `root` use the packages of the course in `original`. */
export function linkModules(original: string, root: string): void {
  const modules = join(original, "node_modules");
  if (existsSync(modules))
    symlinkSync(realpathSync(modules), join(root, "node_modules"), "junction");
}
