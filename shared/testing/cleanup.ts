// What must not outlive this process: ended and removed however it ends, short of SIGKILL.

import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const endings = new Set<{ clean: () => void; politely: () => Promise<void> }>();
let interrupted = false;

/**
 * Runs `clean` when this process ends, also by Ctrl+C, SIGTERM or a closed terminal.
 * @param clean is synchronous. What was registered last is cleaned first.
 * @param politely comes before it if a signal ends the process, and may take a few seconds.
 * @returns a function that forgets `clean`, for what has been cleaned in the ordinary way.
 * @throws {Error} if a signal is already ending this process: nothing may be started any more.
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

/** A folder that is removed with the block (`using`), or when this process ends. */
export interface TemporaryFolder extends Disposable {
  readonly path: string;
  remove(): void;
}

/** Makes an empty folder; `purpose` is a part of its name. */
export function temporaryFolder(purpose: string): TemporaryFolder {
  const { COURSE_FOLDER, COURSE_TESTS } = process.env; // of the program, or npm test, that started us
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
 * Removes a folder, also while a program that is ending still writes to it, or removes its own part. rmSync
 * tries again by itself for some of the errors alone, and not the same ones in every release of Node.js.
 */
function removeFolder(path: string): void {
  const deadline = Date.now() + 10_000; // More than programs are given to end.
  for (;;) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    if (!existsSync(path) || Date.now() > deadline) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50); // Sleeps; there is no await at an exit.
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
  // A program that still ran while npm test removed its folder has made it again.
  try {
    if (process.env.COURSE_TESTS) rmdirSync(process.env.COURSE_TESTS);
  } catch {
    // It holds something, or is gone.
  }
});

for (const [signal, number] of Object.entries({ SIGINT: 2, SIGTERM: 15, SIGHUP: 1 })) {
  // Not `once`: Ctrl+C often comes twice, from the terminal and from npm, and a second signal without
  // a listener would end this process half-way.
  process.on(signal, () => {
    if (interrupted) return;
    interrupted = true;
    // Nothing may stop this half-way: not a pipe whose reader is gone, nor a test that fails now.
    process.setUncaughtExceptionCaptureCallback(() => {});
    const polite = [...endings].map(({ politely }) => politely());
    void Promise.allSettled(polite).then(() => process.exit(128 + number));
  });
}
