// Publishes changes to readers of different speeds, in bounded memory even if a reader stops.

/** A stream of items that any number of followers can read. */
export class Feed<Item> {
  readonly #followers = new Set<(item: Item) => void>();
  readonly #keyOf: (item: Item) => string;

  /**
   * @param keyOf returns what an item is about. While a follower is busy, a new item replaces an
   *   unread one with the same key.
   */
  constructor(keyOf: (item: Item) => string) {
    this.#keyOf = keyOf;
  }

  /** Returns the current number of followers. */
  get followers(): number {
    return this.#followers.size;
  }

  /** Offers an item to every follower. */
  publish(item: Item): void {
    for (const receive of this.#followers) receive(item);
  }

  /**
   * Yields the items of `first()`, then published ones. Following starts with the first `next()`
   * and ends when `signal` aborts, without an error and without leaving anything behind.
   * @param first returns the items to start with; called once, when following starts.
   * @param matches returns whether this follower wants a published item.
   */
  async *follow(
    first: () => Iterable<Item>,
    matches: (item: Item) => boolean,
    signal: AbortSignal,
  ): AsyncGenerator<Item, void, void> {
    const waiting = new Map<string, Item>();
    let wake = () => {};
    const receive = (item: Item) => {
      if (!matches(item)) return;
      waiting.set(this.#keyOf(item), item);
      wake();
    };
    const onAbort = () => wake();

    for (const item of first()) waiting.set(this.#keyOf(item), item);
    this.#followers.add(receive);
    signal.addEventListener("abort", onAbort);
    try {
      while (!signal.aborted) {
        const [next] = waiting;
        if (next === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        } else {
          waiting.delete(next[0]);
          yield next[1];
        }
      }
    } finally {
      this.#followers.delete(receive);
      signal.removeEventListener("abort", onAbort);
    }
  }
}
