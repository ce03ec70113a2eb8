// Formats text for people: aligned columns, prices, counts, and the name of the running program.

import { relative, sep } from "node:path";

/** Returns the rows as lines of aligned columns, two spaces apart, without trailing spaces. */
export function formatColumns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  const line = (row: readonly string[]) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
  return rows.map((row) => line(row).trimEnd()).join("\n");
}

/** Returns cents as dollars: 650 becomes `$6.50`. */
export function formatCents(cents: number): string {
  return `$${(cents / 100).toFixed(2)}`;
}

/** Returns a number with its noun: `1 update`, `2 updates`. */
export function formatCount(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

/** Returns the command that starts this program, such as `npx tsx step-01-unary/client.ts`. */
export function commandName(runner = "npx tsx"): string {
  const file = relative(process.cwd(), process.argv[1] ?? "");
  return `${runner} ${file.split(sep).join("/")}`;
}
