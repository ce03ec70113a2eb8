// Runs the kitchen, which moves orders on at its own pace.

import { every } from "./every.ts";
import type { OrderBook } from "./orders.ts";

/**
 * Moves every open order to its next status every `kitchenMs` milliseconds until `signal` aborts; 0
 * means never.
 */
export function openKitchen(orders: OrderBook, kitchenMs: number, signal: AbortSignal): void {
  every(kitchenMs, signal, () => orders.advance());
}
