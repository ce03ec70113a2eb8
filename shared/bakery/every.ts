// The pace of the till and the kitchen.

/** Runs `act` every `intervalMs` milliseconds until `signal` aborts; 0 means never. */
export function every(intervalMs: number, signal: AbortSignal, act: () => void): void {
  if (intervalMs === 0 || signal.aborted) return;
  const timer = setInterval(act, intervalMs);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}
