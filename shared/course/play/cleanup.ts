// What must not outlive this process: cleaned away however it ends, short of SIGKILL.

const cleanups = new Set<() => void>();

/**
 * Runs `clean` when this process ends, also by Ctrl+C, SIGTERM or a closed terminal. `clean` must be
 * synchronous.
 * @returns forgets it again, for what has been cleaned in the ordinary way.
 */
export function whenThisProcessEnds(clean: () => void): () => void {
  if (cleanups.size === 0) watchForTheEnd();
  cleanups.add(clean);
  return () => cleanups.delete(clean);
}

let watching = false;

function watchForTheEnd(): void {
  if (watching) return;
  watching = true;
  process.once("exit", () => {
    for (const clean of cleanups) clean();
  });
  const signals = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 };
  for (const [signal, number] of Object.entries(signals)) {
    process.once(signal, () => process.exit(128 + number));
  }
}
