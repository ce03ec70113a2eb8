// What must not outlive this process: ended and removed however it ends, short of SIGKILL.

import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Ending {
  readonly clean: () => void;
  readonly politely: () => Promise<void>;
}

const endings = new Set<Ending>();
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
  const parent = process.env.COURSE_FOLDER ?? tmpdir();
  const forget = whenThisProcessEnds(() => remove());
  const path = realpathSync(mkdtempSync(join(parent, `course-${purpose}-`)));
  const remove = () => {
    forget();
    // Windows keeps the files of a program for a moment after its end.
    rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  return { path, remove, [Symbol.dispose]: remove };
}

process.on("exit", () => {
  for (const { clean } of [...endings].reverse()) {
    try {
      clean();
    } catch (error) {
      console.error(error);
    }
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
