// How every program of the course ends: with an exit code, and one line where one line is enough.

/**
 * An error whose message tells a person all there is to know: it is shown without a stack trace.
 */
export class ExpectedError extends Error {}

/** The command line or a setting makes no sense: nothing was done. */
export class UsageError extends ExpectedError {}

/**
 * Runs a program to its end. `main` returns the exit code. What it throws goes to standard error:
 * an ExpectedError, or an error of the operating system, as one line; anything else is a bug, and
 * keeps its stack trace. The exit code is then 2 for a UsageError and 1 for the rest.
 */
export async function runProgram(main: () => Promise<number>): Promise<void> {
  // A reader that has seen enough (`… | head -1`) closes the pipe: that is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? 0 : 1);
  });
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(isExpected(error) ? error.message : error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

function isExpected(error: unknown): error is Error {
  // Errors of the operating system, such as EACCES, name the system call that failed.
  return error instanceof ExpectedError || (error instanceof Error && "syscall" in error);
}
