// Tests the domain by itself: no gRPC, no waiting, no real clock.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Catalog, type Level, type Line, MAX_UNITS } from "./catalog.ts";
import { minutesAway } from "./courier.ts";
import { openKitchen } from "./kitchen.ts";
import { OrderBook } from "./orders.ts";
import { Reservations } from "./reservations.ts";
import { shelfOf } from "./stock.ts";
import { openTill, sellOne } from "./till.ts";

const noon = new Date("2026-01-01T12:00:00Z");

function smallCatalog(now = () => noon): Catalog {
  const product = { description: "", priceCents: 100, unitsInStock: 2 };
  const products = [
    { ...product, id: "rye", name: "Rye bread", description: "dark, with butter" },
    { ...product, id: "bun", name: "Butter bun", priceCents: 250, unitsInStock: 1 },
    { ...product, id: "cake", name: "Cheesecake" },
  ];
  return new Catalog({ products, now });
}

function stock(catalog: Catalog): number[] {
  return catalog.ids().map((id) => catalog.get(id)?.unitsInStock ?? -1);
}

/** Returns the next `count` items, and leaves the iteration open. */
async function next<Item>(items: AsyncGenerator<Item>, count: number): Promise<Item[]> {
  const seen: Item[] = [];
  while (seen.length < count) {
    const { value, done } = await items.next();
    if (done) break;
    seen.push(value);
  }
  return seen;
}

const units = (levels: Level[]) => levels.map((level) => [level.productId, level.unitsInStock]);

describe("search", () => {
  it("ranks the start of a word in the name over the rest of the name over the description", () => {
    const ids = (query: string) =>
      smallCatalog()
        .search(query)
        .map(({ id }) => id);
    assert.deepEqual(ids("butter"), ["bun", "rye"]);
    assert.deepEqual(ids("CAKE"), ["cake"]);
    assert.deepEqual(ids("butter dark"), ["rye"]);
    assert.deepEqual(ids("butter cake"), []);
    assert.deepEqual(ids(""), ["rye", "bun", "cake"]);
  });
});

describe("nearest ids", () => {
  it("are similar, most similar first, and often none", () => {
    assert.deepEqual(new Catalog().nearestIds("croisant"), ["croissant"]);
    assert.deepEqual(new Catalog().nearestIds("baguete"), ["baguette"]);
    assert.deepEqual(new Catalog().nearestIds("RYE"), ["rye"]);
    assert.deepEqual(new Catalog().nearestIds("pizza"), []);
  });
});

describe("the shelf", () => {
  it("gives all lines or none, and adds up lines with the same product", () => {
    const catalog = smallCatalog();
    const lines = [
      { productId: "rye", quantity: 1 },
      { productId: "bun", quantity: 1 },
      { productId: "bun", quantity: 1 },
    ];
    const shortfalls = [{ productId: "bun", wanted: 2, possible: 1 }];
    assert.deepEqual(catalog.take(lines), shortfalls);
    assert.deepEqual(stock(catalog), [2, 1, 2]);
    assert.deepEqual(catalog.take(lines.slice(0, 2)), []);
    assert.deepEqual(stock(catalog), [1, 0, 2]);
    assert.deepEqual(catalog.add(lines.slice(0, 2)), []);
    assert.deepEqual(stock(catalog), [2, 1, 2]);
  });

  it("changes nothing for an unknown product, a bad quantity, or more than it can hold", () => {
    const catalog = smallCatalog();
    const good = { productId: "rye", quantity: 1 };
    assert.throws(() => catalog.add([good, { productId: "pie", quantity: 1 }]), RangeError);
    assert.throws(() => catalog.take([good, { productId: "bun", quantity: 0 }]), RangeError);
    assert.throws(() => catalog.take([good, { productId: "bun", quantity: 0.5 }]), RangeError);
    const shortfalls = [{ productId: "bun", wanted: MAX_UNITS, possible: MAX_UNITS - 1 }];
    assert.deepEqual(catalog.add([good, { productId: "bun", quantity: MAX_UNITS }]), shortfalls);
    assert.deepEqual(stock(catalog), [2, 1, 2]);
  });
});

describe("watching levels", () => {
  it("starts with the current levels in the requested order, then yields changes", async () => {
    const catalog = smallCatalog();
    const levels = catalog.watch(["cake", "rye"], new AbortController().signal);
    assert.deepEqual(units(await next(levels, 2)), [
      ["cake", 2],
      ["rye", 2],
    ]);
    catalog.take([{ productId: "bun", quantity: 1 }]);
    catalog.take([{ productId: "rye", quantity: 1 }]);
    assert.deepEqual(await next(levels, 1), [
      { productId: "rye", unitsInStock: 1, observedAt: noon },
    ]);
    await levels.return();
    assert.equal(catalog.watchers, 0);
  });

  it("keeps only the newest level of each product for a busy reader", async () => {
    const catalog = smallCatalog();
    const levels = catalog.watch(["rye", "cake"], new AbortController().signal);
    await next(levels, 2);
    for (let change = 0; change < 10_000; change++) {
      catalog.add([
        { productId: "cake", quantity: 1 },
        { productId: "rye", quantity: 1 },
      ]);
    }
    assert.deepEqual(units(await next(levels, 2)), [
      ["cake", 10_002],
      ["rye", 10_002],
    ]);
    catalog.take([{ productId: "rye", quantity: 1 }]);
    assert.deepEqual(units(await next(levels, 1)), [["rye", 10_001]]);
    await levels.return();
  });

  it("ends without an error when the signal aborts, and leaves nothing behind", async () => {
    const catalog = smallCatalog();
    const leaving = new AbortController();
    const levels = catalog.watch(["rye"], leaving.signal);
    await next(levels, 1);
    const waiting = levels.next();
    assert.equal(catalog.watchers, 1);
    leaving.abort();
    assert.equal((await waiting).done, true);
    assert.equal(catalog.watchers, 0);
    assert.deepEqual(await next(catalog.watch(["rye"], leaving.signal), 1), []);
  });
});

describe("the till", () => {
  it("sells one unit at a time, in the order of the shelf, and skips what is sold out", () => {
    const catalog = smallCatalog();
    const seen: number[][] = [];
    for (let [place, sale] = [0, 0]; sale < 6; sale++) {
      place = sellOne(catalog, place);
      seen.push(stock(catalog));
    }
    assert.deepEqual(seen, [
      [1, 1, 2],
      [1, 0, 2],
      [1, 0, 1],
      [0, 0, 1],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it("sells at its pace until it is closed, and never if the interval is 0", (test) => {
    test.mock.timers.enable({ apis: ["setInterval"] });
    const closing = new AbortController();
    const [open, shut] = [smallCatalog(), smallCatalog()];
    openTill(open, 100, closing.signal);
    openTill(shut, 0, closing.signal);
    test.mock.timers.tick(200);
    assert.deepEqual(
      [stock(open), stock(shut)],
      [
        [1, 0, 2],
        [2, 1, 2],
      ],
    );
    closing.abort();
    test.mock.timers.tick(1000);
    assert.deepEqual(stock(open), [1, 0, 2]);
  });
});

describe("orders", () => {
  const lines = [
    { productId: "rye", quantity: 2 },
    { productId: "bun", quantity: 1 },
  ];

  it("take from the shelf, and get a number and a price", async () => {
    const catalog = smallCatalog();
    const orders = new OrderBook(shelfOf(catalog), { now: () => noon });
    const { order } = await orders.create(lines, "ada");
    assert.deepEqual(order, {
      id: "order-1",
      lines,
      totalCents: 450,
      status: "RECEIVED",
      statusSince: noon,
      createdAt: noon,
      customerId: "ada",
    });
    assert.deepEqual(stock(catalog), [0, 0, 2]);
    const next = await orders.create([{ productId: "cake", quantity: 1 }]);
    assert.equal(next.order?.id, "order-2");
    assert.deepEqual(
      orders.list().map(({ id }) => id),
      ["order-1", "order-2"],
    );
    assert.equal(orders.get("order-3"), undefined);
  });

  it("leave no trace if the shelf has too few units", async () => {
    const catalog = smallCatalog();
    const orders = new OrderBook(shelfOf(catalog));
    const { order, shortfalls } = await orders.create([
      ...lines,
      { productId: "bun", quantity: 1 },
    ]);
    assert.equal(order, undefined);
    assert.deepEqual(shortfalls, [{ productId: "bun", wanted: 2, possible: 1 }]);
    assert.deepEqual(stock(catalog), [2, 1, 2]);
    assert.equal(orders.list().length, 0);
  });

  it("exist once the stock has answered, even late, and in the order of its answers", async () => {
    const catalog = smallCatalog();
    const answers: (() => void)[] = [];
    const late = shelfOf(catalog);
    const orders = new OrderBook({
      async take(wanted) {
        await new Promise<void>((resolve) => answers.push(resolve));
        return late.take(wanted);
      },
    });
    const first = orders.create([{ productId: "bun", quantity: 1 }]);
    const second = orders.create([{ productId: "bun", quantity: 1 }]);
    const third = orders.create([{ productId: "rye", quantity: 1 }]);
    assert.deepEqual(orders.list(), []);
    for (const answer of answers.reverse()) answer();
    assert.equal((await third).order?.id, "order-1");
    assert.equal((await second).order?.id, "order-2");
    assert.deepEqual((await first).shortfalls, [{ productId: "bun", wanted: 1, possible: 0 }]);
    assert.deepEqual(stock(catalog), [1, 0, 2]);
  });

  it("tell the stock what it must know", async () => {
    const told: unknown[] = [];
    const orders = new OrderBook({
      async take(_lines: readonly Line[], patience: string) {
        told.push(patience);
        return { totalCents: 0 };
      },
    });
    await orders.create(lines, "ada", "until noon");
    assert.deepEqual(told, ["until noon"]);
  });

  it("don't exist if the stock fails between two lines", async () => {
    const catalog = smallCatalog();
    // A stock that can take only one line at a time: it must add back what it has taken.
    const orders = new OrderBook({
      async take([first, ...rest]) {
        const line = first === undefined ? [] : [first];
        catalog.take(line);
        await Promise.resolve();
        if (rest.length === 0) return { totalCents: 0 };
        catalog.add(line);
        throw new Error("the second shelf does not answer");
      },
    });
    await assert.rejects(orders.create(lines), /the second shelf/);
    assert.deepEqual(orders.list(), []);
    assert.deepEqual(stock(catalog), [2, 1, 2]);
    assert.equal((await orders.create(lines.slice(1))).order?.id, "order-1");
    await assert.rejects(
      new OrderBook(shelfOf(catalog)).create([{ productId: "pie", quantity: 1 }]),
      RangeError,
    );
  });

  it("are tracked from the current status until delivery", async () => {
    const orders = new OrderBook(shelfOf(smallCatalog()));
    await orders.create([{ productId: "rye", quantity: 1 }]);
    await orders.create([{ productId: "cake", quantity: 1 }]);
    orders.advance();
    const changes = orders.track("order-1", new AbortController().signal);
    const first = await next(changes, 1);
    assert.equal(orders.trackers, 1);
    for (let move = 0; move < 5; move++) orders.advance();
    const rest = await next(changes, 99);
    assert.deepEqual(
      [...first, ...rest].map(({ orderId, status }) => `${orderId} ${status}`),
      ["BAKING", "READY", "OUT_FOR_DELIVERY", "DELIVERED"].map((status) => `order-1 ${status}`),
    );
    assert.equal(orders.trackers, 0);
    assert.deepEqual(await next(orders.track("order-9", new AbortController().signal), 1), []);
  });

  it("keep each status for as long as the kitchen needs", async (test) => {
    test.mock.timers.enable({ apis: ["setInterval", "Date"] });
    const orders = new OrderBook(shelfOf(smallCatalog()));
    const closing = new AbortController();
    openKitchen(orders, 50, closing.signal);
    const statuses = () => orders.list().map((order) => order.status);
    const pass = (ms: number) => {
      for (let passed = 0; passed < ms; passed += 5) test.mock.timers.tick(5);
    };
    await orders.create([{ productId: "rye", quantity: 1 }]);
    pass(25);
    await orders.create([{ productId: "rye", quantity: 1 }]);
    pass(45);
    assert.deepEqual(statuses(), ["BAKING", "RECEIVED"]);
    pass(30);
    assert.deepEqual(statuses(), ["READY", "BAKING"]);
    closing.abort();
    pass(200);
    assert.deepEqual(statuses(), ["READY", "BAKING"]);
  });
});

describe("reservations", () => {
  const lines = [
    { productId: "rye", quantity: 2 },
    { productId: "bun", quantity: 1 },
  ];

  it("take every line or none, and the same id takes once", () => {
    const catalog = smallCatalog();
    const reservations = new Reservations(catalog, 60_000);
    const tooMany = { productId: "cake", quantity: 3 };
    assert.deepEqual(reservations.reserve("a", [...lines, tooMany]), {
      shortfalls: [{ productId: "cake", wanted: 3, possible: 2 }],
    });
    assert.deepEqual(stock(catalog), [2, 1, 2]);
    for (let asked = 0; asked < 3; asked++) {
      assert.deepEqual(reservations.reserve("a", lines), { totalCents: 450 });
      assert.deepEqual(stock(catalog), [0, 0, 2]);
    }
    assert.equal(reservations.reserve("a", lines.slice(1)), undefined);
    assert.throws(() => reservations.reserve("b", [{ productId: "pie", quantity: 1 }]), RangeError);
  });

  it("return their units, unless confirmed", (test) => {
    test.mock.timers.enable({ apis: ["setTimeout"] });
    const catalog = smallCatalog();
    const reservations = new Reservations(catalog, 1000);
    reservations.reserve("kept", lines.slice(0, 1));
    reservations.reserve("left", lines.slice(1));
    test.mock.timers.tick(999);
    assert.deepEqual([reservations.confirm("kept"), reservations.confirm("kept")], [true, true]);
    assert.deepEqual(stock(catalog), [0, 0, 2]);
    test.mock.timers.tick(1);
    assert.deepEqual(stock(catalog), [0, 1, 2]);
    assert.deepEqual([reservations.confirm("left"), reservations.confirm("other")], [false, false]);
    assert.deepEqual(reservations.reserve("kept", lines.slice(0, 1)), { totalCents: 200 });
    test.mock.timers.tick(10 * 60_000);
    assert.deepEqual([stock(catalog), reservations.confirm("kept")], [[0, 1, 2], false]);
  });

  it("can be released before", () => {
    const catalog = smallCatalog();
    const reservations = new Reservations(catalog, 60_000);
    reservations.reserve("a", lines);
    assert.deepEqual([reservations.release("a"), reservations.release("a")], [true, false]);
    assert.deepEqual(stock(catalog), [2, 1, 2]);
    reservations.reserve("a", lines);
    reservations.confirm("a");
    assert.deepEqual([reservations.release("a"), stock(catalog)], [false, [0, 0, 2]]);
  });
});

describe("the courier", () => {
  it("needs longer for a longer way, and refuses impossible places", () => {
    assert.equal(minutesAway(48.8867, 2.3431), 0);
    assert.equal(minutesAway(48.8566, 2.3522), 12);
    assert.ok(minutesAway(-48.8867, -177.6) > 66_000);
    for (const [latitude, longitude] of [
      [91, 0],
      [0, -181],
      [Number.NaN, 0],
    ] as const) {
      assert.throws(() => minutesAway(latitude, longitude), RangeError);
    }
  });
});
