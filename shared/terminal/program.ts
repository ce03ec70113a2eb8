// How every program of the course ends: with an exit code that says what happened, never a stack trace.

/** The caller typed something that cannot be meant: nothing was done. */
export class UsageError extends Error {}

/**
 * Runs a program to its end. `main` gives the exit code. A UsageError is one line
 * on standard error and exit code 2, any other error one line and exit code 1.
 */
export async function runProgram(main: () => Promise<number>): Promise<void> {
  // A reader that has seen enough (`… | head -1`) closes the pipe: that is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? 0 : 1);
  });
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}
