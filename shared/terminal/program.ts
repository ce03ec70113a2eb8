// Ends every program the same way: with an exit code, and one line for an expected error.

/** An error whose message is all that a person needs: it is printed without a stack trace. */
export class ExpectedError extends Error {}

/** The command line or a setting is invalid, and nothing was done. */
export class UsageError extends ExpectedError {}

/**
 * Runs a program to its end and sets the exit code that `main` returns. If `main` throws, the error
 * goes to standard error: an ExpectedError or an error of the operating system as one line, and any
 * other error, which is a bug, with its stack trace. The exit code is then 2 for a UsageError and 1
 * for any other error.
 */
export async function runProgram(main: () => Promise<number>): Promise<void> {
  // A reader such as `| head -1` closes the pipe when it has seen enough. That is not a failure.
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
