// Keeps the shelf: products by id, search, and stock that changes all at once or not at all.

import { distance } from "fastest-levenshtein";
import { Feed } from "./feed.ts";
import { morningProducts, type Product } from "./products.ts";

/** A product and a number of its units. */
export interface Line {
  readonly productId: string;
  readonly quantity: number;
}

/** How many units of a product were left at a given time. */
export interface Level {
  readonly productId: string;
  readonly unitsInStock: number;
  readonly observedAt: Date;
}

/** A line that the shelf has too few units or too little room for. */
export interface Shortfall {
  readonly productId: string;
  readonly wanted: number;
  readonly possible: number;
}

/** The most units of one product that the shelf holds: the largest 32-bit signed integer. */
export const MAX_UNITS = 2 ** 31 - 1;

export class Catalog {
  readonly #products: Map<string, Product>;
  readonly #levels = new Feed<Level>((level) => level.productId);
  readonly #now: () => Date;

  /**
   * @param options.products the products, in the order of the shelf; morningProducts by default.
   * @param options.now returns the current time, for the date of each change of stock.
   */
  constructor(options: { products?: readonly Product[]; now?: () => Date } = {}) {
    const { products = morningProducts, now = () => new Date() } = options;
    this.#products = new Map(products.map((product) => [product.id, product]));
    this.#now = now;
  }

  /** Returns the ids of all products, in the order of the shelf. */
  ids(): string[] {
    return [...this.#products.keys()];
  }

  /** Returns the product with this id, or undefined if there is none. */
  get(id: string): Product | undefined {
    return this.#products.get(id);
  }

  /** Returns the known ids that are similar to `id`, most similar first; often there are none. */
  nearestIds(id: string, atMost = 2): string[] {
    if (id.length > 64) return []; // Comparing long strings is slow.
    return this.ids()
      .map((known) => ({ known, edits: distance(id.toLowerCase(), known) }))
      .filter(({ known, edits }) => edits <= 3 && edits < known.length / 2)
      .sort((a, b) => a.edits - b.edits)
      .slice(0, atMost)
      .map(({ known }) => known);
  }

  /**
   * Returns the products whose name or description contains every word of `query`,
   * case-insensitive, best match first. A match at the start of a word of the name counts most,
   * then one elsewhere in the name, then one in the description. Equal matches keep the order of
   * the shelf. A query without words matches every product.
   */
  search(query: string): Product[] {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    return [...this.#products.values()]
      .map((product) => ({ product, scores: words.map((word) => score(product, word)) }))
      .filter(({ scores }) => scores.every((points) => points > 0))
      .sort((a, b) => sum(b.scores) - sum(a.scores))
      .map(({ product }) => product);
  }

  /**
   * Takes every line from the shelf, or none.
   * @returns the lines that there are too few units for; empty if everything was taken.
   * @throws {RangeError} if a product isn't in the catalog, or a quantity isn't a whole number of at
   *   least 1.
   */
  take(lines: readonly Line[]): Shortfall[] {
    return this.#change(lines, -1, (product) => product.unitsInStock);
  }

  /**
   * Adds every line to the shelf, or none.
   * @returns the lines that the shelf has no room for (see MAX_UNITS); empty if all were added.
   * @throws {RangeError} if a product isn't in the catalog, or a quantity isn't a whole number of at
   *   least 1.
   */
  add(lines: readonly Line[]): Shortfall[] {
    return this.#change(lines, +1, (product) => MAX_UNITS - product.unitsInStock);
  }

  /**
   * Sets a product to a level that was observed elsewhere, such as at the catalog that this one is a
   * copy of. Readers that watch get the level as it is, with its own date.
   * @throws {RangeError} if the product isn't in the catalog.
   */
  observe(level: Level): void {
    const { productId, unitsInStock } = level;
    this.#products.set(productId, { ...this.#known(productId), unitsInStock });
    this.#levels.publish(level);
  }

  /**
   * Yields the current level of each of `ids`, in that order, and then every change, until `signal`
   * aborts. While the reader is busy, only the newest level of each product is kept for it.
   * @throws {RangeError} on the first `next()`, if a product isn't in the catalog.
   */
  watch(ids: readonly string[], signal: AbortSignal): AsyncGenerator<Level, void, void> {
    const watched = new Set(ids);
    const present = () => [...watched].map((id) => this.#level(this.#known(id)));
    return this.#levels.follow(present, (level) => watched.has(level.productId), signal);
  }

  /** Returns how many readers are watching. */
  get watchers(): number {
    return this.#levels.followers;
  }

  #change(lines: readonly Line[], sign: 1 | -1, limit: (product: Product) => number): Shortfall[] {
    const totals = new Map<string, number>();
    for (const { productId, quantity } of lines) {
      if (!(Number.isInteger(quantity) && quantity > 0))
        throw new RangeError(`no such quantity: ${quantity}`);
      totals.set(productId, (totals.get(productId) ?? 0) + quantity);
    }
    const changes = [...totals].map(([id, wanted]) => ({ product: this.#known(id), wanted }));
    const shortfalls = changes
      .map(({ product, wanted }) => ({ productId: product.id, wanted, possible: limit(product) }))
      .filter(({ wanted, possible }) => wanted > possible);
    if (shortfalls.length > 0) return shortfalls;

    for (const { product, wanted } of changes) {
      const changed = { ...product, unitsInStock: product.unitsInStock + sign * wanted };
      this.#products.set(product.id, changed);
      this.#levels.publish(this.#level(changed));
    }
    return [];
  }

  #known(id: string): Product {
    const product = this.#products.get(id);
    if (product === undefined) throw new RangeError(`no product ${JSON.stringify(id)}`);
    return product;
  }

  #level({ id, unitsInStock }: Product): Level {
    return { productId: id, unitsInStock, observedAt: this.#now() };
  }
}

function score({ name, description }: Product, word: string): number {
  const lowerName = name.toLowerCase();
  if (lowerName.split(/\s+/).some((part) => part.startsWith(word))) return 3;
  if (lowerName.includes(word)) return 2;
  return description.toLowerCase().includes(word) ? 1 : 0;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
