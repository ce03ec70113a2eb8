// News that several readers follow at their own pace, in bounded memory however slow they are.

/** Publishes items to any number of followers. */
export class Feed<Item> {
  readonly #followers = new Set<(item: Item) => void>();
  readonly #keyOf: (item: Item) => string;

  /**
   * @param keyOf what an item is about. For each key only the newest item waits for a follower that
   *   is busy: an older one that it has not read yet is replaced.
   */
  constructor(keyOf: (item: Item) => string) {
    this.#keyOf = keyOf;
  }

  /** How many follow at this moment. */
  get followers(): number {
    return this.#followers.size;
  }

  publish(item: Item): void {
    for (const receive of this.#followers) receive(item);
  }

  /**
   * Follows the feed from the first `next()` until `signal` aborts, then ends without an error and
   * holds nothing any more.
   * @param first gives the items that a follower starts with; asked once, when following begins.
   * @param matches tells which of the published items this follower wants.
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
