// Stops programs and removes folders when this process ends, however it ends (except by SIGKILL).

import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const endings = new Set<{ clean: () => void; politely: () => Promise<void> }>();
let interrupted = false;

/**
 * Runs `clean` when this process ends, including by Ctrl+C, SIGTERM or a closed terminal.
 * @param clean must be synchronous. The functions run in reverse order of registration.
 * @param politely runs before `clean` if a signal ends the process, and may take a few seconds.
 * @returns a function that unregisters `clean`, for when it is no longer needed.
 * @throws {Error} if a signal is already ending this process, so that nothing new starts.
 */
export function whenThisProcessEnds(clean: () => void, politely = async () => {}): () => void {
  if (interrupted) throw new Error("interrupted");
  const ending = { clean, politely };
  endings.add(ending);
  return () => endings.delete(ending);
}

/** Returns true once a signal is ending this process. */
export function isInterrupted(): boolean {
  return interrupted;
}

/** A folder that is removed at the end of the block (`using`), or when this process ends. */
export interface TemporaryFolder extends Disposable {
  readonly path: string;
  remove(): void;
}

/** Creates an empty folder whose name contains `purpose`. */
export function temporaryFolder(purpose: string): TemporaryFolder {
  const { COURSE_FOLDER, COURSE_TESTS } = process.env; // set by the program, or npm test, that started us
  const parent = COURSE_FOLDER ?? COURSE_TESTS ?? tmpdir();
  const forget = whenThisProcessEnds(() => remove());
  mkdirSync(parent, { recursive: true });
  const path = realpathSync(mkdtempSync(join(parent, `course-${purpose}-`)));
  const remove = () => {
    forget();
    removeFolder(path);
  };
  return { path, remove, [Symbol.dispose]: remove };
}

/**
 * Removes a folder, even while a program that is ending still writes to it or deletes from it. rmSync
 * retries after some errors only, and which ones depends on the release of Node.js.
 */
function removeFolder(path: string): void {
  const deadline = Date.now() + 10_000; // Longer than programs are given to end.
  for (;;) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    if (!existsSync(path) || Date.now() > deadline) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50); // Sleeps: an exit handler cannot await.
  }
}

process.on("exit", () => {
  for (const { clean } of [...endings].reverse()) {
    try {
      clean();
    } catch (error) {
      console.error(error);
    }
  }
  // A program that was still running when npm test removed the folder may have created it again.
  try {
    if (process.env.COURSE_TESTS) rmdirSync(process.env.COURSE_TESTS);
  } catch {
    // It isn't empty, or doesn't exist.
  }
});

for (const [signal, number] of Object.entries({ SIGINT: 2, SIGTERM: 15, SIGHUP: 1 })) {
  // Not `once`: Ctrl+C often arrives twice, from the terminal and from npm, and a second signal without
  // a listener would end this process in the middle of the cleanup.
  process.on(signal, () => {
    if (interrupted) return;
    interrupted = true;
    // Nothing may interrupt the cleanup: neither a broken pipe nor a test that fails now.
    process.setUncaughtExceptionCaptureCallback(() => {});
    const polite = [...endings].map(({ politely }) => politely());
    void Promise.allSettled(polite).then(() => process.exit(128 + number));
  });
}
