// Keeps reservations: units that were taken from the shelf, and return to it unless confirmed.

import type { Catalog, Line } from "./catalog.ts";
import { type Taken, totalCentsOf } from "./stock.ts";

const REMEMBERED_MS = 10 * 60_000;

interface Reservation {
  readonly lines: readonly Line[];
  readonly totalCents: number;
  readonly confirmed: boolean;
  /** Ends the hold, or forgets a confirmed reservation. */
  readonly timer: NodeJS.Timeout;
}

export class Reservations {
  readonly #catalog: Catalog;
  readonly #holdMs: number;
  readonly #reservations = new Map<string, Reservation>();

  /** @param holdMs how long units are held for their confirmation, in milliseconds. */
  constructor(catalog: Catalog, holdMs: number) {
    this.#catalog = catalog;
    this.#holdMs = holdMs;
  }

  /**
   * Takes every line from the shelf, or none, and holds the units. Repeated with the same id, it
   * takes nothing more and returns the same result. A confirmed reservation is known for 10 minutes.
   * @returns undefined if the id belongs to a reservation of other lines.
   * @throws {RangeError} if a product isn't in the catalog, or a quantity isn't a whole number of at
   *   least 1.
   */
  reserve(id: string, lines: readonly Line[]): Taken | undefined {
    const known = this.#reservations.get(id);
    if (known !== undefined) {
      return sameLines(known.lines, lines) ? { totalCents: known.totalCents } : undefined;
    }
    const shortfalls = this.#catalog.take(lines);
    if (shortfalls.length > 0) return { shortfalls };
    const totalCents = totalCentsOf(lines, this.#catalog);
    const timer = setTimeout(() => this.release(id), this.#holdMs).unref();
    this.#reservations.set(id, { lines, totalCents, confirmed: false, timer });
    return { totalCents };
  }

  /**
   * Keeps the units off the shelf for good. Confirming twice has no further effect.
   * @returns false if there is no such reservation, or no longer.
   */
  confirm(id: string): boolean {
    const reservation = this.#reservations.get(id);
    if (reservation === undefined) return false;
    if (reservation.confirmed) return true;
    clearTimeout(reservation.timer);
    const timer = setTimeout(() => this.#reservations.delete(id), REMEMBERED_MS).unref();
    this.#reservations.set(id, { ...reservation, confirmed: true, timer });
    return true;
  }

  /**
   * Returns the units to the shelf before the hold ends.
   * @returns false if there is no such reservation, or if it is confirmed.
   */
  release(id: string): boolean {
    const reservation = this.#reservations.get(id);
    if (reservation === undefined || reservation.confirmed) return false;
    clearTimeout(reservation.timer);
    this.#reservations.delete(id);
    this.#catalog.add(reservation.lines);
    return true;
  }
}

function sameLines(some: readonly Line[], others: readonly Line[]): boolean {
  const text = (lines: readonly Line[]) => lines.map((l) => `${l.productId}=${l.quantity}`).join();
  return text(some) === text(others);
}
