// Provides the units of an order: from a shelf in this process, or later from another server.

import type { Catalog, Line, Shortfall } from "./catalog.ts";

/** The result of taking an order's lines: all of them were taken, or none. */
export type Taken =
  | { readonly totalCents: number; readonly shortfalls?: never }
  | { readonly totalCents?: never; readonly shortfalls: readonly Shortfall[] };

/**
 * @typeParam Context what an implementation must be told besides the lines, such as who is waiting
 * for the answer, and until when; by default, nothing.
 */
export interface Stock<Context extends unknown[] = []> {
  /**
   * Takes every line, or none.
   * @returns the price of all lines in cents, or the lines that there are too few units for.
   * @throws if the stock can't be reached. The implementation makes sure that nothing stays taken.
   */
  take(lines: readonly Line[], ...context: Context): Promise<Taken>;
}

/**
 * Returns the catalog's shelf as a stock. `take` rejects with a RangeError where `Catalog.take`
 * throws one.
 */
export function shelfOf(catalog: Catalog): Stock {
  return {
    async take(lines) {
      const shortfalls = catalog.take(lines);
      if (shortfalls.length > 0) return { shortfalls };
      return { totalCents: totalCentsOf(lines, catalog) };
    },
  };
}

/** Returns what the lines cost at the catalog's current prices. */
export function totalCentsOf(lines: readonly Line[], catalog: Catalog): number {
  const priceCents = (line: Line) => catalog.get(line.productId)?.priceCents ?? 0;
  return lines.reduce((total, line) => total + line.quantity * priceCents(line), 0);
}
