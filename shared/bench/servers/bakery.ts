// The bakery behind every competitor: the domain that the steps use, without the steps.

import { Catalog } from "../../bakery/catalog.ts";
import { OrderBook } from "../../bakery/orders.ts";
import { Till } from "../../bakery/till.ts";
import { settings } from "./listen.ts";

export const catalog: Catalog = new Catalog();
export const orders: OrderBook = new OrderBook(catalog);
new Till(catalog).open(settings.tillMs, new AbortController().signal);

/** A message of an upload, whatever the library calls its parts. */
export type Piece =
  | { readonly crate: { readonly productId: string; readonly units: number } }
  | { readonly noteOfCrates: number };

/** Counts an upload piece by piece; its end puts everything on the shelf, as in the steps. */
export class Delivery {
  readonly #units = new Map<string, number>();
  #crates = 0;
  #noted = false;

  add(piece: Piece): void {
    if ("crate" in piece) {
      const { productId, units } = piece.crate;
      if (catalog.get(productId) === undefined) throw new Error(`no product ${productId}`);
      this.#crates++;
      this.#units.set(productId, (this.#units.get(productId) ?? 0) + units);
    } else {
      this.#noted = piece.noteOfCrates === this.#crates;
    }
  }

  /** @throws {Error} if the note did not come, or counted wrong. */
  apply(): { products: number; units: number } {
    if (!this.#noted) throw new Error("the delivery ended without its note");
    const lines = [...this.#units].map(([productId, quantity]) => ({ productId, quantity }));
    catalog.putBack(lines);
    return { products: lines.length, units: lines.reduce((sum, line) => sum + line.quantity, 0) };
  }
}
