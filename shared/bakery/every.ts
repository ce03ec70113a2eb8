// Sets the pace of the till and the kitchen.

/**
 * Runs `act` every `intervalMs` milliseconds until `signal` aborts; 0 means never. Its timer
 * doesn't keep the process alive, so that a server that couldn't start still ends.
 */
export function every(intervalMs: number, signal: AbortSignal, act: () => void): void {
  if (intervalMs === 0 || signal.aborted) return;
  const timer = setInterval(act, intervalMs).unref();
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}
