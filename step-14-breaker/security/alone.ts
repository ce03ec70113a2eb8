// Lets only one program at a time change a folder.

import { closeSync, openSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

const POLL_MS = 20;
const STALE_MS = 10_000; // A killed program leaves its lock behind.

/**
 * Waits until no other program holds this folder's lock, then runs `act` and returns its result.
 */
export async function alone<Result>(folder: string, act: () => Promise<Result>): Promise<Result> {
  const lock = join(folder, ".lock");
  while (!tryLock(lock)) await setTimeout(POLL_MS);
  try {
    return await act();
  } finally {
    rmSync(lock, { force: true });
  }
}

function tryLock(lock: string): boolean {
  try {
    closeSync(openSync(lock, "wx"));
    return true;
  } catch (error) {
    const lockedAt = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
    if (lockedAt === undefined && !isTaken(error)) throw error;
    if (Number(lockedAt) < Date.now() - STALE_MS) rmSync(lock, { force: true });
    return false;
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}
