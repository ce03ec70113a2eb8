// Tests step 03 over the wire: uploads that are applied whole or not at all, and calls in which both
// sides send independently.

import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { type ClientHttp2Stream, connect, type Settings } from "node:http2";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import {
  type CallOptions,
  type ClientDuplexStream,
  credentials,
  Metadata,
  Server,
  type StatusObject,
  status,
} from "@grpc/grpc-js";
import { Catalog, MAX_UNITS } from "../shared/bakery/catalog.ts";
import { OrderBook } from "../shared/bakery/orders.ts";
import { morningProducts } from "../shared/bakery/products.ts";
import { shelfOf } from "../shared/bakery/stock.ts";
import { noSignals } from "../shared/testing/programs.ts";
import {
  eventually,
  inThisProcess,
  listenHere,
  type RunningServer,
  runClient,
  startProgram,
  startServer,
} from "../shared/testing/servers.ts";
import { catalogHandlers } from "./catalog/handlers.ts";
import { unaryCall } from "./client/unary-call.ts";
import { upload } from "./commands/restock.ts";
import {
  CatalogServiceClient,
  CatalogServiceService,
  type GetProductResponse,
  RestockProductsRequest,
  type RestockProductsResponse,
  type SearchProductsResponse,
} from "./gen/bakery/v1/catalog.ts";
import {
  type CreateOrderResponse,
  type OrderLine,
  OrderServiceClient,
  OrderServiceService,
  OrderStatus,
  TrackOrderRequest,
  type TrackOrderResponse,
} from "./gen/bakery/v1/orders.ts";
import { orderHandlers } from "./orders/handlers.ts";
import { StatusError } from "./server/status-error.ts";

const folder = import.meta.dirname;
const soon = (): CallOptions => ({ deadline: Date.now() + 20_000 });

let catalog: Catalog;
let orders: OrderBook;
let closing: AbortController;
let server: Server;
let address: string;
let shelf: CatalogServiceClient;
let counter: OrderServiceClient;

beforeEach(async (test) => {
  if ("mock" in test) test.mock.method(console, "log", () => {}); // the log of why calls ended
  await serve(new Catalog());
});

afterEach(stop);

async function serve(products: Catalog): Promise<void> {
  catalog = products;
  orders = new OrderBook(shelfOf(catalog));
  closing = new AbortController();
  server = new Server();
  server.addService(
    CatalogServiceService,
    catalogHandlers(catalog, { slowMs: 0, closing: closing.signal }),
  );
  server.addService(
    OrderServiceService,
    orderHandlers(catalog, orders, { closing: closing.signal }),
  );
  address = await listenHere(server);
  shelf = new CatalogServiceClient(address, credentials.createInsecure());
  counter = new OrderServiceClient(address, credentials.createInsecure());
}

function stop(): void {
  shelf.close();
  counter.close();
  server.forceShutdown();
}

function stock(id: string): number | undefined {
  return catalog.get(id)?.unitsInStock;
}

/** Waits until the server holds nothing for any call. */
async function nothingIsLeft(): Promise<void> {
  await eventually(() => orders.trackers === 0 && catalog.watchers === 0);
  await eventually(() => getEventListeners(closing.signal, "abort").length === 0);
}

function crate(productId: string, units: number): RestockProductsRequest {
  return { content: { $case: "crate", value: { productId, units } } };
}

function note(crates: number): RestockProductsRequest {
  return { content: { $case: "deliveryNote", value: { crates } } };
}

const nothing = { content: undefined };

/** Starts an upload, which the caller writes to and ends or cancels. */
function beginRestock() {
  let call: ReturnType<CatalogServiceClient["restockProducts"]> | undefined;
  const response = unaryCall<RestockProductsResponse>((done) => {
    call = shelf.restockProducts(new Metadata(), soon(), done);
  });
  response.catch(() => {}); // The caller awaits it later.
  assert.ok(call);
  return { call, response };
}

function restock(...messages: RestockProductsRequest[]): Promise<RestockProductsResponse> {
  const { call, response } = beginRestock();
  for (const message of messages) call.write(message);
  call.end();
  return response;
}

describe("RestockProducts", inThisProcess, () => {
  it("puts every crate on the shelf, and watchers see it", async () => {
    const watch = shelf.watchProducts({ productIds: ["rye"] }, soon());
    watch.on("error", () => {});
    await once(watch, "data");
    const update = once(watch, "data");
    const response = await restock(
      crate("rye", 5),
      crate("brioche", 1000),
      crate("rye", 1),
      note(3),
    );
    assert.deepEqual(response, { products: 2, units: 1006 });
    assert.deepEqual([stock("rye"), stock("brioche")], [14, 1006]);
    assert.equal((await update)[0].unitsInStock, 14);
    watch.cancel();
    await nothingIsLeft();
  });

  it("takes a delivery of nothing", async () => {
    assert.deepEqual(await restock(note(0)), { products: 0, units: 0 });
  });

  it("applies nothing before the end of the stream, note or not", async () => {
    const { call, response } = beginRestock();
    call.write(crate("rye", 5));
    call.write(note(1));
    // A call on the same connection is answered after the messages above have arrived.
    await unaryCall((done) => shelf.searchProducts({ query: "" }, new Metadata(), soon(), done));
    assert.equal(stock("rye"), 8);
    call.end();
    await response;
    assert.equal(stock("rye"), 13);
  });

  for (const [title, messages, code, details] of [
    ["without a note", [], "INVALID_ARGUMENT", /ended without its note/],
    ["with a note with a wrong count", [note(2)], "INVALID_ARGUMENT", /says 2 crates; 1 came/],
    ["with a negative note", [note(-1)], "INVALID_ARGUMENT", /says -1/],
    ["with a crate after the note", [note(1), crate("rye", 1)], "INVALID_ARGUMENT", /follow the/],
    ["with two notes", [note(1), note(1)], "INVALID_ARGUMENT", /follow the/],
    ["with an empty message", [nothing, note(1)], "INVALID_ARGUMENT", /must hold/],
    ["with no units", [crate("rye", 0), note(2)], "INVALID_ARGUMENT", /crate 2 has 0 units/],
    ["with minus a unit", [crate("rye", -1), note(2)], "INVALID_ARGUMENT", /crate 2 has -1 units/],
    ["with 1001 units", [crate("rye", 1001), note(2)], "INVALID_ARGUMENT", /crate 2 has 1001/],
    [
      "with an unknown product",
      [crate("ryo", 1), note(2)],
      "NOT_FOUND",
      /"ryo"; did you mean rye\?/,
    ],
  ] as const) {
    it(`${title} is refused, and changes nothing`, async () => {
      await assert.rejects(restock(crate("sourdough", 1), ...messages), {
        code: status[code],
        details,
      });
      assert.deepEqual([stock("sourdough"), stock("rye")], [12, 8]);
    });
  }

  it("takes 10,000 crates and refuses 10,001", async () => {
    const crates = Array.from({ length: 10_000 }, () => crate("rye", 1));
    assert.deepEqual(await restock(...crates, note(10_000)), { products: 1, units: 10_000 });
    const tooMany = restock(...crates, crate("rye", 1), note(10_001));
    await assert.rejects(tooMany, { code: status.RESOURCE_EXHAUSTED });
    assert.equal(stock("rye"), 10_008);
  });

  it("refuses what the shelf has no room for, all of it", async () => {
    stop();
    const full = morningProducts.map((product) =>
      product.id === "rye" ? { ...product, unitsInStock: MAX_UNITS - 1 } : product,
    );
    await serve(new Catalog({ products: full }));
    const refused = restock(crate("sourdough", 1), crate("rye", 2), note(2));
    const details = "the shelf has room for 1 more rye";
    await assert.rejects(refused, { code: status.FAILED_PRECONDITION, details });
    assert.equal(stock("sourdough"), 12);
  });

  it("ends at the first mistake, before the client has ended", async () => {
    const { call, response } = beginRestock();
    call.write(crate("pie", 1));
    await assert.rejects(response, { code: status.NOT_FOUND });
  });

  it("changes nothing when it is cancelled before its note, at any moment, 300 times", async () => {
    for (let round = 0; round < 300; round++) {
      const { call, response } = beginRestock();
      for (let crates = 0; crates <= round % 3; crates++) call.write(crate("rye", 1));
      // Not in the very tick that starts it: see step 02's tests.
      for (let turn = 0; turn <= round % 11; turn++) await setImmediate();
      call.cancel();
      await assert.rejects(response, { code: status.CANCELLED });
    }
    // When a complete delivery is answered, the server has dealt with all those before it.
    assert.deepEqual(await restock(crate("rye", 1), note(1)), { products: 1, units: 1 });
    assert.equal(stock("rye"), 9);
  });

  it("is applied whole or not at all when it is cancelled after its note", async () => {
    for (let round = 0; round < 100; round++) {
      const { call, response } = beginRestock();
      for (const message of [crate("rye", 1), crate("ciabatta", 1), note(2)]) call.write(message);
      for (let turn = 0; turn <= round % 11; turn++) await setImmediate();
      call.cancel();
      await response.catch(() => {}); // The cancel may come too late, after the note.
    }
    await restock(crate("baguette", 1), note(1));
    assert.equal((stock("rye") ?? 0) - 8, (stock("ciabatta") ?? 0) - 10);
  });

  it("changes nothing when the connection is lost before its note, 20 times", async () => {
    for (let round = 0; round < 20; round++) {
      const request = rawCall(CatalogServiceService.restockProducts.path);
      request.write(frame(RestockProductsRequest.encode(crate("rye", 1)).finish()));
      for (let turn = 0; turn <= round; turn++) await setImmediate();
      request.session?.destroy();
    }
    await restock(crate("rye", 1), note(1));
    assert.equal(stock("rye"), 9);
  });

  it("is uploaded only as fast as the server reads", async () => {
    const idle = new Server();
    const { restockProducts: definition } = CatalogServiceService;
    idle.addService({ restockProducts: definition }, { restockProducts: () => {} });
    const stub = new CatalogServiceClient(await listenHere(idle), credentials.createInsecure());
    let made = 0;
    function* endless() {
      for (; made < 500_000; made++) yield crate("rye", 1);
    }
    const call = stub.restockProducts(new Metadata(), soon(), () => {});
    try {
      void upload(call, endless());
      // The upload has stopped if it makes nothing more in a hundred turns of the event loop.
      for (let [turns, last] = [0, -1]; turns < 100; turns++) {
        if (made !== last) [turns, last] = [0, made];
        await setImmediate();
      }
      // For retries, grpc-js buffers up to 1 MiB of each call: about 75,000 of these messages.
      assert.ok(made > 100 && made < 150_000, `${made} made`);
    } finally {
      call.cancel();
      stub.close();
      idle.forceShutdown();
    }
  });
});

function createOrder(...lines: OrderLine[]): Promise<CreateOrderResponse> {
  return unaryCall((done) => counter.createOrder({ lines }, new Metadata(), soon(), done));
}

describe("CreateOrder", inThisProcess, () => {
  it("answers with the order, and takes it from the shelf", async () => {
    const lines = [
      { productId: "sourdough", quantity: 2 },
      { productId: "croissant", quantity: 1 },
    ];
    const { order } = await createOrder(...lines);
    assert.ok(order?.createdAt);
    assert.ok(Math.abs(Number(order.createdAt) - Date.now()) < 10_000);
    const { createdAt: _, ...rest } = order;
    assert.deepEqual(rest, {
      id: "order-1",
      lines,
      totalCents: 1610,
      status: OrderStatus.RECEIVED,
    });
    assert.deepEqual([stock("sourdough"), stock("croissant")], [10, 23]);
    assert.equal((await createOrder({ productId: "rye", quantity: 1 })).order?.id, "order-2");
  });

  it("refuses a product id of 60 KB in a few words, and other calls are not affected", async () => {
    const started = createOrder({ productId: "é".repeat(30_000), quantity: 0 });
    const refused = assert.rejects(started, {
      code: status.INVALID_ARGUMENT,
      details: `0 ${"é".repeat(64)}: a quantity is 1 to 100`,
    });
    const others = Array.from({ length: 10 }, () => createOrder({ productId: "pie", quantity: 1 }));
    const codes = others.map((call) => call.catch((error: { code: status }) => error.code));
    assert.deepEqual(await Promise.all(codes), Array(10).fill(status.NOT_FOUND));
    await refused;
  });

  const rye = { productId: "rye", quantity: 1 };
  for (const [title, lines, code, details] of [
    ["no lines", [], "INVALID_ARGUMENT", /1 to 100 lines/],
    ["101 lines", Array(101).fill(rye), "INVALID_ARGUMENT", /1 to 100 lines/],
    ["quantity 0", [rye, { productId: "rye", quantity: 0 }], "INVALID_ARGUMENT", /^0 rye: /],
    ["quantity -1", [rye, { productId: "rye", quantity: -1 }], "INVALID_ARGUMENT", /^-1 rye: /],
    ["quantity 101", [rye, { productId: "rye", quantity: 101 }], "INVALID_ARGUMENT", /^101 rye: /],
    ["an unknown product", [rye, { productId: "pie", quantity: 1 }], "NOT_FOUND", /"pie"/],
    [
      "more than there is",
      [rye, { productId: "brioche", quantity: 7 }, { productId: "cheesecake", quantity: 8 }],
      "FAILED_PRECONDITION",
      /^7 brioche ordered, 6 left; 8 cheesecake ordered, 7 left$/,
    ],
    [
      "more than there is, in two lines",
      [rye, { productId: "rye", quantity: 8 }],
      "FAILED_PRECONDITION",
      /^9 rye ordered, 8 left$/,
    ],
  ] as const) {
    it(`refuses ${title}, and takes nothing`, async () => {
      await assert.rejects(createOrder(...lines), { code: status[code], details });
      assert.equal(stock("rye"), 8);
      assert.equal(orders.list().length, 0);
    });
  }
});

type Tracking = ClientDuplexStream<TrackOrderRequest, TrackOrderResponse>;

function start(orderId: string): TrackOrderRequest {
  return { content: { $case: "start", value: { orderId } } };
}

function ping(latitude: number, longitude: number): TrackOrderRequest {
  return { content: { $case: "ping", value: { latitude, longitude } } };
}

/** Starts tracking and sends `messages`. The caller may send more, end or cancel. */
function track(messages: TrackOrderRequest[], options: CallOptions = soon()): Tracking {
  const call = counter.trackOrder(options);
  call.on("error", () => {}); // `ending` gets it as the status.
  for (const message of messages) call.write(message);
  return call;
}

/** Waits for the next `count` responses and returns them in words. */
async function next(call: Tracking, count: number): Promise<string[]> {
  const responses: string[] = [];
  while (responses.length < count) {
    const response: TrackOrderResponse | null = call.read();
    if (response !== null) responses.push(words(response));
    assert.equal(call.readableEnded, false, "the call has ended");
    if (response === null) await setImmediate();
  }
  return responses;
}

function words({ content }: TrackOrderResponse): string {
  if (content?.$case === "eta") return `${content.value.minutes} min`;
  return content === undefined ? "" : content.value.status.replace("ORDER_STATUS_", "");
}

/** Waits for the end of the call. Returns its status and the responses before it. */
async function ending(call: Tracking) {
  const responses: string[] = [];
  call.on("data", (response: TrackOrderResponse) => responses.push(words(response)));
  const end = await new Promise<StatusObject>((resolve) => call.once("status", resolve));
  return { code: end.code, details: end.details, responses };
}

describe("TrackOrder", inThisProcess, () => {
  beforeEach(async () => {
    await orders.create([{ productId: "rye", quantity: 1 }]);
  });

  it("sends the present status, then every change, and ends with OK at the door", async () => {
    orders.advance();
    const call = track([start("order-1")]);
    assert.deepEqual(await next(call, 1), ["BAKING"]);
    orders.advance();
    assert.deepEqual(await next(call, 1), ["READY"]);
    orders.advance();
    orders.advance();
    const { code, responses } = await ending(call); // The client hasn't half-closed.
    assert.deepEqual(responses, ["OUT_FOR_DELIVERY", "DELIVERED"]);
    assert.equal(code, status.OK);
    await nothingIsLeft();
  });

  it("goes on after the client has half-closed", async () => {
    const call = track([start("order-1")]);
    call.end();
    assert.deepEqual(await next(call, 1), ["RECEIVED"]);
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    for (let move = 0; move < 4; move++) orders.advance();
    const { code, responses } = await ending(call);
    assert.deepEqual(responses, ["BAKING", "READY", "OUT_FOR_DELIVERY", "DELIVERED"]);
    assert.equal(code, status.OK);
    await nothingIsLeft();
  });

  it("answers pings while no status changes, and changes while no ping comes", async () => {
    const call = track([start("order-1")]);
    assert.deepEqual(await next(call, 1), ["RECEIVED"]);
    call.write(ping(48.8566, 2.3522));
    assert.deepEqual(await next(call, 1), ["12 min"]);
    call.write(ping(48.8867, 2.3431));
    call.write(ping(-90, 180));
    assert.deepEqual((await next(call, 2))[0], "0 min");
    orders.advance();
    assert.deepEqual(await next(call, 1), ["BAKING"]);
    call.cancel();
    await nothingIsLeft();
  });

  it("reports an order that is already delivered, and ends", async () => {
    for (let move = 0; move < 4; move++) orders.advance();
    const { code, responses } = await ending(track([start("order-1")]));
    assert.deepEqual([code, responses], [status.OK, ["DELIVERED"]]);
  });

  for (const [title, messages, code, details] of [
    ["a ping before start", [ping(0, 0)], "INVALID_ARGUMENT", /first message must be start/],
    ["an empty first message", [nothing], "INVALID_ARGUMENT", /first message must be start/],
    ["a second start", [start("order-1"), start("order-1")], "INVALID_ARGUMENT", /only pings/],
    ["an empty message later", [start("order-1"), nothing], "INVALID_ARGUMENT", /only pings/],
    ["an unknown order", [start("order-2")], "NOT_FOUND", /^no order "order-2"$/],
    ["a latitude of 91", [start("order-1"), ping(91, 0)], "INVALID_ARGUMENT", /latitude/],
    ["a longitude of -181", [start("order-1"), ping(0, -181)], "INVALID_ARGUMENT", /longitude/],
    ["no number", [start("order-1"), ping(Number.NaN, 0)], "INVALID_ARGUMENT", /latitude/],
  ] as const) {
    it(`refuses ${title} at once, and nothing is left`, async () => {
      const end = await ending(track([...messages])); // The client hasn't half-closed.
      assert.equal(end.code, status[code]);
      assert.match(end.details, details);
      await nothingIsLeft();
    });
  }

  it("refuses a client that half-closes without sending anything", async () => {
    const call = track([]);
    call.end();
    assert.equal((await ending(call)).code, status.INVALID_ARGUMENT);
    await nothingIsLeft();
  });

  for (const [title, messages] of [
    ["before it has started", []],
    ["under way", [start("order-1")]],
  ] as const) {
    it(`leaves nothing behind when it is cancelled ${title}`, async () => {
      const call = track([...messages]);
      await eventually(() => getEventListeners(closing.signal, "abort").length === 1);
      call.cancel();
      assert.equal((await ending(call)).code, status.CANCELLED);
      await nothingIsLeft();
    });

    it(`leaves nothing behind when its deadline passes ${title}`, async () => {
      const end = await ending(track([...messages], { deadline: Date.now() + 300 }));
      assert.equal(end.code, status.DEADLINE_EXCEEDED);
      await nothingIsLeft();
    });

    it(`leaves nothing behind when the server closes ${title}`, async () => {
      const call = track([...messages]);
      await eventually(() => getEventListeners(closing.signal, "abort").length === 1);
      closing.abort(new StatusError(status.UNAVAILABLE, "the bakery is closing"));
      const { code, details } = await ending(call);
      assert.deepEqual([code, details], [status.UNAVAILABLE, "the bakery is closing"]);
      await nothingIsLeft();
    });
  }

  it("leaves nothing behind when the connection is lost", async () => {
    const request = rawCall(OrderServiceService.trackOrder.path);
    request.write(frame(TrackOrderRequest.encode(start("order-1")).finish()));
    await eventually(() => orders.trackers === 1);
    request.session?.destroy();
    await nothingIsLeft();
  });

  it("stops at a mistake even if the client doesn't read", async () => {
    const request = rawCall(OrderServiceService.trackOrder.path, { initialWindowSize: 0 });
    request.write(frame(TrackOrderRequest.encode(start("order-1")).finish()));
    await eventually(() => orders.trackers === 1);
    request.write(frame(TrackOrderRequest.encode(ping(91, 0)).finish()));
    await eventually(() => orders.trackers === 0);
    request.session?.destroy();
    await nothingIsLeft();
  });

  it("leaves nothing behind when it is cancelled at any moment, 200 times", async () => {
    for (let round = 0; round < 200; round++) {
      const call = track(round % 2 === 0 ? [start("order-1"), ping(1, 1)] : []);
      for (let turn = 0; turn <= round % 20; turn++) await setImmediate();
      call.cancel();
      assert.equal((await ending(call)).code, status.CANCELLED);
    }
    await nothingIsLeft();
  });
});

/** Starts a call by hand over a connection of its own, which a test can cut. */
function rawCall(path: string, settings: Settings = {}): ClientHttp2Stream {
  const session = connect(`http://${address}`, { settings });
  session.on("error", () => {});
  const headers = { ":method": "POST", ":path": path, te: "trailers" };
  const request = session.request({ ...headers, "content-type": "application/grpc" });
  request.on("error", () => {});
  return request;
}

/** Returns a message with its five-byte prefix. */
function frame(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

describe("the programs", () => {
  let running: RunningServer;
  before(async () => {
    running = await startServer(folder, { TILL_MS: "0", KITCHEN_MS: "100" });
  });
  after(() => running?.program.stop());
  const run = (...args: string[]) => runClient(folder, args, { BAKERY_ADDRESS: running.address });

  it("restock and order", async () => {
    const restocked = await run("restock", "sourdough=20", "rye=5");
    assert.deepEqual(restocked, {
      stdout: "restocked 25 units of 2 products\n",
      stderr: "",
      exitCode: 0,
    });
    const ordered = await run("order", "sourdough=2", "croissant=1");
    assert.equal(ordered.stdout, "ID: order-1\nStatus: RECEIVED\nTotal: $16.10\n");
  });

  it("answer each status with the next ping, and half-close after the last one", async () => {
    const pings = ["--ping", "48.8566,2.3522", "--ping", "48.8809,2.3553"];
    const args = ["order", "rye=1", "--track", ...pings];
    const tracking = startProgram(folder, "client.ts", args, { BAKERY_ADDRESS: address });
    try {
      for (const last of ["12 minutes away", "4 minutes away", "no more pings", "DELIVERY"]) {
        const printed = () => tracking.lines().at(-1)?.endsWith(last) === true;
        assert.ok(await tracking.until(printed, 20_000), tracking.output());
        orders.advance();
      }
      assert.ok(await tracking.ends(20_000));
      assert.deepEqual(tracking.lines().slice(3), [
        "[bakery] RECEIVED",
        "[you]    ping 48.8566,2.3522",
        "[bakery] about 12 minutes away",
        "[bakery] BAKING",
        "[you]    ping 48.8809,2.3553",
        "[bakery] about 4 minutes away",
        "[bakery] READY",
        "[you]    half-close: no more pings",
        "[bakery] OUT_FOR_DELIVERY",
        "[bakery] DELIVERED",
      ]);
      assert.equal(tracking.exitCode, 0);
    } finally {
      await tracking.stop();
    }
    const delivered = await runClient(folder, ["track", "order-1"], { BAKERY_ADDRESS: address });
    assert.equal(delivered.stdout, "[bakery] DELIVERED\n");
  });

  it("cancel an upload when told to, and the server says why it applies nothing", async (test) => {
    const log = test.mock.method(console, "log", () => {});
    const cancelled = ["rye=1", "brioche=1", "--cancel-after"];
    for (const count of ["1", "2", "3"]) {
      const env = { BAKERY_ADDRESS: address };
      const { exitCode, stderr } = await runClient(folder, ["restock", ...cancelled, count], env);
      assert.equal(exitCode, 64 + status.CANCELLED);
      assert.match(stderr, /^CANCELLED: /);
      await eventually(() => log.mock.callCount() === Number(count));
    }
    const [ended] = log.mock.calls[0]?.arguments ?? [];
    assert.match(String(ended), /RestockProducts ended: the delivery ended without its note$/);
    assert.deepEqual([stock("rye"), stock("brioche")], [8, 6]);
  });

  it("refuse a message of more than 64 KiB, packed or not", async () => {
    const catalog = new CatalogServiceClient(running.address, credentials.createInsecure());
    const packing = new CatalogServiceClient(running.address, credentials.createInsecure(), {
      "grpc.default_compression_algorithm": 2, // gzip: the query is a few hundred bytes then
      "grpc.use_local_subchannel_pool": 1,
    });
    for (const stub of [catalog, packing]) {
      const search = (query: string) =>
        unaryCall<SearchProductsResponse>((done) =>
          stub.searchProducts({ query }, new Metadata(), soon(), done),
        );
      await assert.rejects(search("x".repeat(65_000)), { code: status.INVALID_ARGUMENT });
      await assert.rejects(search("x".repeat(66_000)), { code: status.RESOURCE_EXHAUSTED });
      stub.close();
    }
  });

  it("say why a call failed", async () => {
    for (const [args, code, stderr] of [
      [["restock", "rye=1001"], 67, /^INVALID_ARGUMENT: crate 1 has 1001 units; 1 to 1000 .*\n$/],
      [["restock", "pie=1"], 69, /^NOT_FOUND: no product "pie"\n$/],
      [["order", "brioche=100"], 73, /^FAILED_PRECONDITION: 100 brioche ordered, 6 left\n$/],
      [["track", "order-99"], 69, /^NOT_FOUND: no order "order-99"\n$/],
      [["order", "rye"], 2, /^expected NAME=NUMBER/],
      [["track", "order-1", "--ping", "north"], 2, /^--ping must be LATITUDE,LONGITUDE/],
      [["restock", "rye=1", "--cancel-after", "0"], 2, /^--cancel-after must be a whole number/],
    ] as const) {
      const failed = await run(...args);
      assert.deepEqual([failed.exitCode, failed.stdout], [code, ""], failed.stderr);
      assert.match(failed.stderr, stderr);
    }
  });

  it("stop tracking on Ctrl+C, and when the server stops", { skip: noSignals }, async () => {
    await using slow = await startServer(folder, { TILL_MS: "0", KITCHEN_MS: "0" });
    const env = { BAKERY_ADDRESS: slow.address };
    await runClient(folder, ["order", "rye=1"], env);
    const [leaving, staying] = [1, 2].map(() =>
      startProgram(folder, "client.ts", ["track", "order-1"], env),
    );
    assert.ok(leaving && staying);
    try {
      for (const program of [leaving, staying]) {
        const halfClosed = () => program.lines().at(-1)?.startsWith("[you]    half-close") === true;
        assert.ok(await program.until(halfClosed, 20_000), program.output());
        assert.equal(program.lines()[0], "[bakery] RECEIVED");
      }
      leaving.interrupt();
      assert.ok(await leaving.ends(30_000));
      assert.deepEqual(
        [leaving.exitCode, leaving.lines().at(-1)],
        [0, "[you]    stopped tracking"],
      );
      slow.program.kill("SIGTERM");
      assert.ok(await slow.program.ends(4000), "the server waited for the stream");
      assert.equal(slow.program.exitCode, 0);
      assert.ok(await staying.ends(30_000));
      assert.equal(staying.exitCode, 64 + status.UNAVAILABLE);
      assert.equal(staying.lines().at(-1), "UNAVAILABLE: the bakery is closing");
    } finally {
      await Promise.all([leaving.stop(), staying.stop()]);
    }
  });

  it("change nothing for uploads that another process cancels before the note", async () => {
    const stub = new CatalogServiceClient(running.address, credentials.createInsecure());
    const left = async () => {
      const response = unaryCall<GetProductResponse>((done) =>
        stub.getProduct({ id: "apple-tart" }, new Metadata(), soon(), done),
      );
      return (await response).product?.unitsInStock;
    };
    const send = () => {
      let call: ReturnType<CatalogServiceClient["restockProducts"]> | undefined;
      const response = unaryCall((done) => {
        call = stub.restockProducts(new Metadata(), soon(), done);
      });
      response.catch(() => {}); // It may fail before it is awaited below.
      call?.write(crate("apple-tart", 1));
      return { call, response };
    };
    const before = await left();
    for (let round = 0; round < 100; round++) {
      const { call, response } = send();
      for (let turn = 0; turn <= round % 25; turn++) await setImmediate();
      call?.cancel();
      await assert.rejects(response, { code: status.CANCELLED });
    }
    const last = send(); // When it is answered, the server has dealt with the others.
    last.call?.end(note(1));
    await last.response;
    assert.equal(await left(), (before ?? 0) + 1);
    stub.close();
  });
});
