// Orders: from the counter to the customer's door.

import type { Catalog, Line, Misfit } from "./catalog.ts";
import { Feed } from "./feed.ts";

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
  /** Who ordered; empty where nobody is asked. */
  readonly customerId: string;
}

/** An order has reached a status. */
export interface StatusChange {
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly at: Date;
}

/** What became of an order that was placed: the order, or what there is too little of. */
export type Placed =
  | { readonly order: Order; readonly shortages?: never }
  | { readonly order?: never; readonly shortages: readonly Misfit[] };

const MAX_LINES = 100;
const MAX_QUANTITY = 100;

/** What is wrong with the lines of an order, whatever is in stock; undefined if nothing is. */
export function orderProblem(lines: readonly Line[]): string | undefined {
  if (lines.length < 1 || lines.length > MAX_LINES) return `an order has 1 to ${MAX_LINES} lines`;
  const wrong = lines.find(({ quantity }) => quantity < 1 || quantity > MAX_QUANTITY);
  if (wrong === undefined) return undefined;
  return `${wrong.quantity} ${wrong.productId}: a quantity is 1 to ${MAX_QUANTITY}`;
}

/** What there is too little of, in words. */
export function describeShortages(shortages: readonly Misfit[]): string {
  return shortages
    .map(({ productId, wanted, possible }) => `${wanted} ${productId} ordered, ${possible} left`)
    .join("; ");
}

export class OrderBook {
  readonly #orders = new Map<string, Order>();
  readonly #changes = new Feed<StatusChange>((change) => change.status);
  readonly #catalog: Catalog;
  readonly #now: () => Date;

  /** @param options.now the clock that orders and their changes are dated by. */
  constructor(catalog: Catalog, options: { now?: () => Date } = {}) {
    this.#catalog = catalog;
    this.#now = options.now ?? (() => new Date());
  }

  /**
   * Places an order and takes its lines from the shelf, both or neither.
   * @throws {RangeError} for a product that is not in the catalog.
   */
  create(lines: readonly Line[], customerId = ""): Placed {
    const shortages = this.#catalog.take(lines);
    if (shortages.length > 0) return { shortages };

    const priceCents = (line: Line) => this.#catalog.get(line.productId)?.priceCents ?? 0;
    const createdAt = this.#now();
    const order: Order = {
      id: `order-${this.#orders.size + 1}`,
      lines: lines.map((line) => ({ ...line })),
      totalCents: lines.reduce((total, line) => total + line.quantity * priceCents(line), 0),
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

  /** Moves every order that is not delivered yet on by one status. */
  advance(): void {
    for (const order of this.#orders.values()) {
      const next = orderStatuses[orderStatuses.indexOf(order.status) + 1];
      if (next !== undefined) this.#record({ ...order, status: next, statusSince: this.#now() });
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

  /** How many track an order at this moment. */
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
