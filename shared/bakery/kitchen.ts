// The kitchen: moves each order on, one status after the other.

import { every } from "./every.ts";
import type { OrderBook } from "./orders.ts";

const LOOKS_PER_STATUS = 10;

/**
 * Moves each order on to its next status when it has had the present one for `kitchenMs`
 * milliseconds, until `signal` aborts. A `kitchenMs` of 0 means never.
 */
export function openKitchen(orders: OrderBook, kitchenMs: number, signal: AbortSignal): void {
  const lookMs = Math.ceil(kitchenMs / LOOKS_PER_STATUS);
  every(lookMs, signal, () => orders.advance(kitchenMs));
}
