// Where the units of an order come from: the shelf in this process, or one day one across a
// network.

import type { Catalog, Line, Shortfall } from "./catalog.ts";

/** What became of lines that an order asked for: all were taken, or none. */
export type Taken =
  | { readonly totalCents: number; readonly shortfalls?: never }
  | { readonly totalCents?: never; readonly shortfalls: readonly Shortfall[] };

export interface Stock {
  /**
   * Takes every line, or none.
   * @returns what the units cost in cents, or the lines that there are too few units of.
   * @throws if the stock cannot be asked. Then it must see to it that nothing stays taken.
   */
  take(lines: readonly Line[]): Promise<Taken>;
}

/**
 * Returns the shelf of `catalog` as a stock. It rejects with a RangeError where `Catalog.take`
 * throws.
 */
export function shelfOf(catalog: Catalog): Stock {
  return {
    async take(lines) {
      const shortfalls = catalog.take(lines);
      if (shortfalls.length > 0) return { shortfalls };
      const priceCents = (line: Line) => catalog.get(line.productId)?.priceCents ?? 0;
      return {
        totalCents: lines.reduce((total, line) => total + line.quantity * priceCents(line), 0),
      };
    },
  };
}
