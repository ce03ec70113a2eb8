// Keeps the orders, from the counter to the customer's door.

import type { Line, Shortfall } from "./catalog.ts";
import { Feed } from "./feed.ts";
import type { Stock } from "./stock.ts";

/** The statuses of an order, from first to last. */
export const orderStatuses = [
  "RECEIVED",
  "BAKING",
  "READY",
  "OUT_FOR_DELIVERY",
  "DELIVERED",
] as const;

export type OrderStatus = (typeof orderStatuses)[number];

export interface Order {
  /** order-1, order-2 … */
  readonly id: string;
  readonly lines: readonly Line[];
  readonly totalCents: number;
  readonly status: OrderStatus;
  readonly statusSince: Date;
  readonly createdAt: Date;
  /** The user who ordered; empty if the server doesn't authenticate its callers. */
  readonly customerId: string;
}

/** A status that an order has reached, and when. */
export interface StatusChange {
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly at: Date;
}

/**
 * The result of placing an order: the order, or the lines that there are too few units for.
 */
export type Placed =
  | { readonly order: Order; readonly shortfalls?: never }
  | { readonly order?: never; readonly shortfalls: readonly Shortfall[] };

/** Returns a text that says which lines there are too few units for. */
export function describeShortfalls(shortfalls: readonly Shortfall[]): string {
  return shortfalls
    .map(({ productId, wanted, possible }) => `${wanted} ${productId} ordered, ${possible} left`)
    .join("; ");
}

/** @typeParam Context what the stock must be told besides the lines. The book only passes it on. */
export class OrderBook<Context extends unknown[] = []> {
  readonly #orders = new Map<string, Order>();
  readonly #changes = new Feed<StatusChange>((change) => change.status);
  readonly #stock: Stock<Context>;
  readonly #now: () => Date;

  /**
   * @param stock provides the units for orders.
   * @param options.now returns the current time, for the dates of orders and their changes.
   */
  constructor(stock: Stock<Context>, options: { now?: () => Date } = {}) {
    this.#stock = stock;
    this.#now = options.now ?? (() => new Date());
  }

  /**
   * Places an order and takes its lines from the stock, both or neither. The order gets its id and
   * enters the book when the stock has answered.
   * @param context passed on to the stock.
   * @throws whatever the stock throws; then there is no order.
   */
  async create(lines: readonly Line[], customerId = "", ...context: Context): Promise<Placed> {
    const { totalCents, shortfalls } = await this.#stock.take(lines, ...context);
    if (shortfalls !== undefined) return { shortfalls };
    const createdAt = this.#now();
    const order: Order = {
      id: `order-${this.#orders.size + 1}`,
      lines: lines.map((line) => ({ ...line })),
      totalCents,
      status: "RECEIVED",
      statusSince: createdAt,
      createdAt,
      customerId,
    };
    this.#record(order);
    return { order };
  }

  /** Returns the order with this id, or undefined if there is none. */
  get(id: string): Order | undefined {
    return this.#orders.get(id);
  }

  /** Returns all orders, oldest first. */
  list(): Order[] {
    return [...this.#orders.values()];
  }

  /**
   * Moves every order that isn't delivered to its next status.
   * @param minStatusMs skips orders whose status changed less than this many milliseconds ago.
   */
  advance(minStatusMs = 0): void {
    const now = this.#now();
    for (const order of this.#orders.values()) {
      const next = orderStatuses[orderStatuses.indexOf(order.status) + 1];
      const isDue = now.getTime() - order.statusSince.getTime() >= minStatusMs;
      if (next !== undefined && isDue) this.#record({ ...order, status: next, statusSince: now });
    }
  }

  /**
   * Yields the current status of an order and then every change. Ends after DELIVERED, when
   * `signal` aborts, or at once if there is no such order.
   */
  async *track(orderId: string, signal: AbortSignal): AsyncGenerator<StatusChange, void, void> {
    const order = this.#orders.get(orderId);
    if (order === undefined) return;
    const present = () => [statusChange(order)];
    const ofThisOrder = (change: StatusChange) => change.orderId === orderId;
    for await (const change of this.#changes.follow(present, ofThisOrder, signal)) {
      yield change;
      if (change.status === "DELIVERED") return;
    }
  }

  /** Returns how many readers are tracking an order. */
  get trackers(): number {
    return this.#changes.followers;
  }

  #record(order: Order): void {
    this.#orders.set(order.id, order);
    this.#changes.publish(statusChange(order));
  }
}

function statusChange({ id, status, statusSince }: Order): StatusChange {
  return { orderId: id, status, at: statusSince };
}
