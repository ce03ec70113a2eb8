// Orders: from the counter to the customer's door.

import type { Line, Shortfall } from "./catalog.ts";
import { Feed } from "./feed.ts";
import type { Stock } from "./stock.ts";

/** The stations of an order, in the order it passes them. */
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
  /** The user who ordered; empty if the server does not ask who calls. */
  readonly customerId: string;
}

/** An order has reached a status. */
export interface StatusChange {
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly at: Date;
}

/**
 * What became of an order that was placed: the order, or the lines that there are too few units of.
 */
export type Placed =
  | { readonly order: Order; readonly shortfalls?: never }
  | { readonly order?: never; readonly shortfalls: readonly Shortfall[] };

/** Returns in words which lines there are too few units of. */
export function describeShortfalls(shortfalls: readonly Shortfall[]): string {
  return shortfalls
    .map(({ productId, wanted, possible }) => `${wanted} ${productId} ordered, ${possible} left`)
    .join("; ");
}

export class OrderBook {
  readonly #orders = new Map<string, Order>();
  readonly #changes = new Feed<StatusChange>((change) => change.status);
  readonly #stock: Stock;
  readonly #now: () => Date;

  /**
   * @param stock where the units of orders are taken from.
   * @param options.now the clock that orders and their changes are dated by.
   */
  constructor(stock: Stock, options: { now?: () => Date } = {}) {
    this.#stock = stock;
    this.#now = options.now ?? (() => new Date());
  }

  /**
   * Places an order and takes its lines from the stock, both or neither. The order gets its id and
   * is in the book once the stock has answered.
   * @throws what the stock throws; then there is no order.
   */
  async create(lines: readonly Line[], customerId = ""): Promise<Placed> {
    const { totalCents, shortfalls } = await this.#stock.take(lines);
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

  get(id: string): Order | undefined {
    return this.#orders.get(id);
  }

  /** All orders, oldest first. */
  list(): Order[] {
    return [...this.#orders.values()];
  }

  /**
   * Moves every order that is not delivered yet on by one status.
   * @param minStatusMs skips orders whose status has changed within this many milliseconds.
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
   * The present status of an order, then every change. Ends after DELIVERED, or when `signal`
   * aborts. Nothing for an order that does not exist.
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
