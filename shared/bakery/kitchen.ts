// Runs the kitchen, which moves each order on, one status after the other.

import { every } from "./every.ts";
import type { OrderBook } from "./orders.ts";

const LOOKS_PER_STATUS = 10;

/**
 * Moves each order to its next status after `kitchenMs` milliseconds in the previous one, until
 * `signal` aborts; 0 means never.
 */
export function openKitchen(
  orders: Pick<OrderBook, "advance">,
  kitchenMs: number,
  signal: AbortSignal,
): void {
  const lookMs = Math.ceil(kitchenMs / LOOKS_PER_STATUS);
  every(lookMs, signal, () => orders.advance(kitchenMs));
}
