// The kinds of load: what a worker opens, and what it does again and again.

import {
  CatalogServiceService,
  GetProductRequest,
  RestockProductsRequest,
  WatchProductsRequest,
} from "../gen/grpc-js/bakery/v1/catalog.ts";
import { OrderServiceService, TrackOrderRequest } from "../gen/grpc-js/bakery/v1/orders.ts";
import type { Target, Workload } from "../jobs.ts";
import { getProduct, placeOrder } from "./calls.ts";
import { connect, IN_FLIGHT } from "./clients.ts";
import { framed, ThinClient } from "./thin-client.ts";
import { ThinRest } from "./thin-rest.ts";

const WATCHED_PRODUCTS = 10;
const CRATES = 100;
const PINGS_IN_FLIGHT = 4; // in each stream, or server and generator would wait for each other

/** node:http2 throws out a client that resets more: it takes that for an attack (CVE-2023-44487). */
const MAX_CANCELS = 900;

/** One of the calls under way. */
export interface Worker {
  /** Does it once; gives how many messages that took. */
  act(): Promise<number>;
}

/** All workers of one load, on one connection unless it is REST over HTTP/1.1. */
export interface Load {
  readonly workers: readonly Worker[];
  close(): void;
}

export const loads: Readonly<Record<Workload, (target: Target) => Promise<Load>>> = {
  /** GetProduct; for REST its like. */
  async unary(target) {
    if (target.protocol === "rest") return restLoad(target);
    const request = framed(GetProductRequest.encode({ id: "sourdough" }).finish());
    return thinLoad(target, CatalogServiceService.getProduct.path, (client) => ({
      act: () => untilAnswered(client, [request]),
    }));
  },

  /** A watch is told ten levels at once, then cancels: what comes later depends on the till. */
  async "server-stream"(target) {
    const request = framed(WatchProductsRequest.encode({ productIds: [] }).finish());
    const clients = new Set<ThinClient>();
    const open = () => {
      const client = new ThinClient(target, CatalogServiceService.watchProducts.path);
      clients.add(client);
      return client;
    };
    let client = open();
    const worker: Worker = {
      async act() {
        if (client.opened >= MAX_CANCELS) client = open();
        const used = client;
        const levels = await untilWatched(used, request);
        if (used !== client && used.underWay === 0) {
          used.close();
          clients.delete(used);
        }
        return levels;
      },
    };
    return {
      workers: Array(IN_FLIGHT).fill(worker),
      close() {
        for (const client of clients) client.close();
      },
    };
  },

  /** A hundred crates and the delivery note, then one answer. */
  async "client-stream"(target) {
    const crate = { productId: "rye", units: 1 };
    const encode = (request: RestockProductsRequest) =>
      framed(RestockProductsRequest.encode(request).finish());
    const messages = [
      ...Array(CRATES).fill(encode({ content: { $case: "crate", value: crate } })),
      encode({ content: { $case: "deliveryNote", value: { crates: CRATES } } }),
    ];
    return thinLoad(target, CatalogServiceService.restockProducts.path, (client) => ({
      act: () => untilAnswered(client, messages),
    }));
  },

  /** Streams that stay: a ping goes when the answer to the one before has come. */
  async bidi(target) {
    const clients = connect(target);
    const orderId = await placeOrder(clients);
    clients.close();
    const encode = (request: TrackOrderRequest) =>
      framed(TrackOrderRequest.encode(request).finish());
    const start = encode({ content: { $case: "start", value: { orderId } } });
    const place = { latitude: 48.8566, longitude: 2.3522 };
    const ping = encode({ content: { $case: "ping", value: place } });
    const client = new ThinClient(target, OrderServiceService.trackOrder.path);
    const streams = Array.from({ length: IN_FLIGHT }, () => openPings(client, start, ping));
    return {
      workers: streams.flatMap((worker) => Array(PINGS_IN_FLIGHT).fill(worker)),
      close: () => client.close(),
    };
  },

  /** Unary calls again, but made as a program makes them: the generated client, or node:http. */
  async "generated-client"(target) {
    const clients = connect(target);
    const worker: Worker = {
      async act() {
        await getProduct(clients);
        return 1;
      },
    };
    return { workers: Array(IN_FLIGHT).fill(worker), close: () => clients.close() };
  },
};

/** As many workers as calls may be under way, on one connection. */
function thinLoad(target: Target, path: string, worker: (client: ThinClient) => Worker): Load {
  const client = new ThinClient(target, path);
  const workers = Array.from({ length: IN_FLIGHT }, () => worker(client));
  return { workers, close: () => client.close() };
}

/** A stream whose answers come in the order of its pings; the first is the present status. */
function openPings(client: ThinClient, start: Buffer, ping: Buffer): Worker {
  const waiting: { resolve: (messages: number) => void; reject: (error: Error) => void }[] = [];
  let stream: number | undefined;
  const listener = {
    onMessage: () => waiting.shift()?.resolve(1),
    onEnd(broken = new Error("TrackOrder ended too soon")) {
      for (const { reject } of waiting.splice(0)) reject(broken);
    },
  };
  return {
    act: () =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        if (stream === undefined) stream = client.open([start], false, listener);
        else client.send(stream, [ping], false);
      }),
  };
}

/** A call with one answer, to its end; gives how many messages were sent. */
function untilAnswered(client: ThinClient, messages: readonly Buffer[]): Promise<number> {
  return new Promise((resolve, reject) => {
    let answers = 0;
    client.open(messages, true, {
      onMessage: () => answers++,
      onEnd(broken) {
        if (answers === 1 && broken === undefined) resolve(messages.length);
        else reject(broken ?? new Error(`a call ended with ${answers} answers instead of one`));
      },
    });
  });
}

function untilWatched(client: ThinClient, request: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    let levels = 0;
    const call = client.open([request], true, {
      onMessage() {
        if (++levels < WATCHED_PRODUCTS) return;
        client.cancel(call);
        resolve(levels);
      },
      onEnd: (broken) => reject(broken ?? new Error(`a watch ended after ${levels} levels`)),
    });
  });
}

function restLoad({ address }: Target): Load {
  const connections = Array.from(
    { length: IN_FLIGHT },
    () => new ThinRest(address, "/products/sourdough"),
  );
  const workers = connections.map((connection) => ({
    async act() {
      await connection.get();
      return 1;
    },
  }));
  return {
    workers,
    close() {
      for (const connection of connections) connection.close();
    },
  };
}
