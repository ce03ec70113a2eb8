// Makes a folder with all that belongs in it, or not at all.

import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Makes `folder` unless it exists. Two programs may do this at the same time: one of them makes it.
 * @param write puts the files into a draft of the folder, which then gets its name in one move.
 * @returns false if the folder was there already, or another program was faster.
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
