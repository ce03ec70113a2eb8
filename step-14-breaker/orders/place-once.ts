// Places an order once, however often it is asked for under the same key.

import { createHash, randomUUID } from "node:crypto";
import { status } from "@grpc/grpc-js";
import { LRUCache } from "lru-cache";
import type { Line } from "../../shared/bakery/catalog.ts";
import type { Order } from "../../shared/bakery/orders.ts";
import { invalidArgument, StatusError } from "../server/status-error.ts";

const MAX_KEY_CHARACTERS = 64;
const MAX_KEYS = 10_000;
const REMEMBERED_MS = 24 * 60 * 60_000;

interface Wanted {
  readonly customerId: string;
  /** Empty for a customer who has none. Then nothing is remembered. */
  readonly key: string;
  readonly lines: readonly Line[];
}

type PlaceOnce = (
  wanted: Wanted,
  place: (reservationId: string) => Promise<Order>,
) => Promise<Order>;

/**
 * Returns a function that calls `place` and returns its order. Called again with the same key, it
 * returns the same order; while `place` is still busy, it waits. If `place` has failed, it calls it
 * again, with the same reservation: what the catalog has taken, it takes only once.
 */
export function placingOnce(): PlaceOnce {
  const placed = new LRUCache<string, { lines: string; order: Promise<Order> }>({
    max: MAX_KEYS,
    ttl: REMEMBERED_MS,
  });
  return async ({ customerId, key, lines }, place) => {
    if (key === "") return place(randomUUID());
    if (key.length > MAX_KEY_CHARACTERS) {
      throw invalidArgument(`an idempotency_key has up to ${MAX_KEY_CHARACTERS} characters`);
    }
    // The customer is part of it, so nobody can meet somebody else's order by guessing a key.
    const reservationId = asUuid(hash([customerId, key]));
    const known = placed.get(reservationId);
    const wanted = hash(lines);
    if (known !== undefined && known.lines !== wanted) {
      throw new StatusError(status.ALREADY_EXISTS, "the idempotency_key stands for other lines");
    }
    const order =
      known === undefined ? place(reservationId) : known.order.catch(() => place(reservationId));
    placed.set(reservationId, { lines: wanted, order });
    return order;
  };
}

function hash(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

function asUuid(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, "$1-$2-$3-$4-$5");
}
