// Creates a folder with all its files, or not at all.

import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Creates `folder` unless it exists. If two programs do this at the same time, one of them wins.
 * @param write writes the files into a draft folder, which is then renamed to `folder`.
 * @returns false if the folder already exists, or another program has created it first.
 */
export async function makeFolder(
  folder: string,
  write: (draft: string) => void | Promise<void>,
): Promise<boolean> {
  if (existsSync(folder)) return false;
  mkdirSync(dirname(folder), { recursive: true });
  const draft = mkdtempSync(join(dirname(folder), `${basename(folder)}-`));
  try {
    await write(draft);
    renameSync(draft, folder);
    return true;
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
    return false;
  }
}
