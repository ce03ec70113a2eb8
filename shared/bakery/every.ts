// The pace of the till and the kitchen.

/**
 * Runs `act` every `intervalMs` milliseconds until `signal` aborts; 0 means never. It keeps no
 * process alive that has nothing else to do, such as a server that could not start.
 */
export function every(intervalMs: number, signal: AbortSignal, act: () => void): void {
  if (intervalMs === 0 || signal.aborted) return;
  const timer = setInterval(act, intervalMs).unref();
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}
