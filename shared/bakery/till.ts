// Runs the till, which sells one unit at a time so that stock levels keep changing.

import type { Catalog } from "./catalog.ts";
import { every } from "./every.ts";

/**
 * Sells one unit every `tillMs` milliseconds until `signal` aborts, product after product in the
 * order of the shelf, again and again. 0 keeps the till shut.
 */
export function openTill(catalog: Catalog, tillMs: number, signal: AbortSignal): void {
  let next = 0;
  every(tillMs, signal, () => {
    next = sellOne(catalog, next);
  });
}

/**
 * Sells one unit of the product at place `from` of the shelf, or of the next product that isn't
 * sold out.
 * @returns the place to continue from.
 */
export function sellOne(catalog: Catalog, from: number): number {
  const ids = catalog.ids();
  for (let place = from; place < from + ids.length; place++) {
    const productId = ids[place % ids.length] ?? "";
    if (catalog.take([{ productId, quantity: 1 }]).length === 0) return place + 1;
  }
  return from;
}
