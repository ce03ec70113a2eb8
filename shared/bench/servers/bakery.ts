// Provides what all peers share: the bakery's domain, the sum of an upload, and the "listening" line.

import { Catalog } from "../../bakery/catalog.ts";

export const HOST = "127.0.0.1";
export const PORT: number = Number(process.env.PORT ?? 0);

export const catalog: Catalog = new Catalog();

/** An upload. As in the steps, stock changes only when the upload is complete. */
export class Delivery {
  readonly #units = new Map<string, number>();

  add({ productId, units }: { readonly productId: string; readonly units: number }): void {
    this.#units.set(productId, (this.#units.get(productId) ?? 0) + units);
  }

  apply(): { products: number; units: number } {
    const lines = [...this.#units].map(([productId, quantity]) => ({ productId, quantity }));
    catalog.add(lines);
    return { products: lines.length, units: lines.reduce((sum, line) => sum + line.quantity, 0) };
  }
}

export function sayListening(port: number): void {
  console.log(`listening on ${HOST}:${port}`);
}
