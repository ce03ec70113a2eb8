// What every competitor's server does like a step's: its settings, one line when it listens, its end.

/** Where the server listens, and how often its till sells; 0 keeps the till shut. */
export const settings = {
  host: "127.0.0.1",
  port: Number(process.env.PORT || 0),
  tillMs: Number(process.env.TILL_MS || 0),
};

/** Prints the line that the benchmark waits for. */
export function sayListening(port: number): void {
  console.log(`listening on ${settings.host}:${port}`);
}

/** Ends the process on SIGTERM, at once: nobody's calls are under way when the benchmark ends. */
export function endOnSignal(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(0));
}
