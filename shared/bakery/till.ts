// The till: sells one unit at a time, so that the shelf is never quite still.

import type { Catalog } from "./catalog.ts";
import { every } from "./every.ts";

export class Till {
  readonly #catalog: Catalog;
  #sales = 0;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /**
   * Sells one unit of the next product, in the order of the shelf, round and round; sold-out products
   * are passed over.
   * @returns the id of what was sold; undefined when the shelf is empty.
   */
  sellOne(): string | undefined {
    const ids = this.#catalog.ids();
    for (const _ of ids) {
      const productId = ids[this.#sales++ % ids.length] ?? "";
      if (this.#catalog.take([{ productId, quantity: 1 }]).length === 0) return productId;
    }
    return undefined;
  }

  /** Sells one unit every `tillMs` milliseconds until `signal` aborts. 0: the till stays shut. */
  open(tillMs: number, signal: AbortSignal): void {
    every(tillMs, signal, () => this.sellOne());
  }
}
