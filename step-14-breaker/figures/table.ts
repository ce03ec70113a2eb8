// Formats a table of figures, and measures times for it.

import { formatColumns } from "../../shared/terminal/output.ts";

/** Returns a title, with the rows below it. */
export function table(title: string, rows: string[][]): string {
  return `${title}\n${formatColumns(rows.map((row) => ["", ...row]))}`;
}

/** Returns how long it took, in seconds. */
export async function timed(act: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await act();
  return (performance.now() - startedAt) / 1000;
}
