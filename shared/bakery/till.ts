// The till: sells one unit at a time, so that the shelf is never quite still.

import type { Catalog } from "./catalog.ts";
import { every } from "./every.ts";

/**
 * Sells one unit every `tillMs` milliseconds until `signal` aborts, in the order of the shelf,
 * round and round. 0 keeps the till shut.
 */
export function openTill(catalog: Catalog, tillMs: number, signal: AbortSignal): void {
  let next = 0;
  every(tillMs, signal, () => {
    next = sellOne(catalog, next);
  });
}

/**
 * Sells one unit of the product at place `from` of the shelf, or of the first one after it that is
 * not sold out.
 * @returns the place to go on from.
 */
export function sellOne(catalog: Catalog, from: number): number {
  const ids = catalog.ids();
  for (let place = from; place < from + ids.length; place++) {
    const productId = ids[place % ids.length] ?? "";
    if (catalog.take([{ productId, quantity: 1 }]).length === 0) return place + 1;
  }
  return from;
}
