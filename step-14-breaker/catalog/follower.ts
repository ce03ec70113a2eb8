// Keeps a replica's shelf like the leader's, by watching the leader's levels.

import { setTimeout as wait } from "node:timers/promises";
import { Metadata } from "@grpc/grpc-js";
import type { Catalog } from "../../shared/bakery/catalog.ts";
import type { Connection } from "../client/connection.ts";
import { CatalogServiceClient } from "../gen/bakery/v1/catalog.ts";

const RETRY_MS = 500;

export interface FollowerOptions {
  /** HOST:PORT, for the log. */
  readonly leader: string;
  /** How long the replica stays SERVING without its leader. */
  readonly lostMs: number;
  /** Called when that changes. */
  readonly setServing: (serving: boolean) => void;
}

export class Follower {
  readonly #leader: CatalogServiceClient;
  readonly #options: FollowerOptions;
  #lostAt: number | undefined = Date.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: Connection, options: FollowerOptions) {
    this.#leader = connection.stub(CatalogServiceClient);
    this.#options = options;
  }

  /** How long ago the leader was lost, in milliseconds; undefined if it isn't. */
  get lostForMs(): number | undefined {
    return this.#lostAt === undefined ? undefined : Date.now() - this.#lostAt;
  }

  /** Returns when the levels were the leader's: now, or when it was lost. */
  asOf(): Date {
    return new Date(this.#lostAt ?? Date.now());
  }

  /**
   * Follows until `closing` aborts.
   * @returns a promise that resolves once the shelf is like the leader's for the first time.
   */
  follow(catalog: Catalog, closing: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      closing.addEventListener("abort", () => resolve());
      void this.#followAgainAndAgain(catalog, closing, resolve);
    });
  }

  async #followAgainAndAgain(catalog: Catalog, closing: AbortSignal, inSync: () => void) {
    while (!closing.aborted) {
      // waitForReady: while the leader can't be reached, the call waits instead of failing at once.
      const call = this.#leader.watchProducts(
        { productIds: [] },
        new Metadata({ waitForReady: true }),
      );
      const leave = () => call.cancel();
      closing.addEventListener("abort", leave);
      try {
        // First comes the level of each product, then every change.
        const missing = new Set(catalog.ids());
        for await (const { productId, unitsInStock, observedAt = new Date() } of call) {
          catalog.observe({ productId, unitsInStock, observedAt });
          if (!missing.delete(productId) || missing.size > 0) continue;
          this.#found();
          inSync();
        }
        throw new Error("the leader ended the stream");
      } catch (error) {
        if (!closing.aborted) this.#lose(error);
      } finally {
        closing.removeEventListener("abort", leave);
      }
      await wait(RETRY_MS);
    }
  }

  #found(): void {
    clearTimeout(this.#timer);
    this.#lostAt = undefined;
    this.#options.setServing(true);
    console.log(`following ${this.#options.leader}`);
  }

  #lose(error: unknown): void {
    if (this.#lostAt !== undefined) return;
    this.#lostAt = Date.now();
    const { leader, lostMs, setServing } = this.#options;
    console.log(`lost ${leader}: ${error instanceof Error ? error.message : error}`);
    this.#timer = setTimeout(() => {
      setServing(false);
      console.log(`NOT_SERVING: ${leader} has been lost for ${lostMs} ms`);
    }, lostMs);
  }
}
