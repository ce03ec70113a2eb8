// Step 11 over the wire: what a call passes on to the calls that are made for it, and what not.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import {
  constants,
  createSecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type CallOptions, credentials, Metadata, Server, status } from "@grpc/grpc-js";
import {
  eventually,
  listenHere,
  type RunningServer,
  runClient,
  startServer,
} from "../shared/testing/servers.ts";
import { collector } from "../shared/traces/spans.ts";
import { channelSecurity } from "./client/channel-credentials.ts";
import { type Connection, connect } from "./client/connection.ts";
import { unaryCall } from "./client/unary-call.ts";
import {
  CatalogServiceClient,
  CatalogServiceService,
  type GetProductResponse,
  ReserveProductsResponse,
  type SearchProductsResponse,
} from "./gen/bakery/v1/catalog.ts";
import {
  type CreateOrderResponse,
  OrderServiceClient,
  OrderServiceService,
} from "./gen/bakery/v1/orders.ts";
import { bidi } from "./server/bidi.ts";
import type { CallContext } from "./server/call-context.ts";
import { innerCall } from "./server/inner-call.ts";
import { authInterceptor } from "./server/interceptors/auth.ts";
import { requestIdInterceptor } from "./server/interceptors/request-id.ts";
import { unary } from "./server/unary.ts";

const folder = import.meta.dirname;
const MARGIN_MS = 50;
const soon = (ms = 30_000) => ({ deadline: Date.now() + ms });
const fails = (call: Promise<unknown>, code: status, details?: string | RegExp) =>
  assert.rejects(call, details === undefined ? { code } : { code, details });
/** Returns a promise that is awaited later; if it rejects before, that is no unhandled rejection. */
function later<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => {});
  return promise;
}

/** Keys and certificates of all servers here. */
let scratch: string;
const tokens = { ada: "", zoe: "", baker: "", orders: "" };
const ZOE = "Zoë Ünal, 100%";
let catalog: RunningServer;
/** Another catalog, in this process; and an orders' server that calls it. */
let gate: Gate;
let counter: RunningServer;

before(async () => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "course-propagation-")));
  tokens.ada = makeToken("ada", "customer");
  tokens.zoe = makeToken(ZOE, "customer");
  tokens.baker = makeToken("bo", "baker");
  tokens.orders = makeToken("orders", "service");
  catalog = await startCatalog(); // It also makes the certificates.
  gate = await openGate((method, id) => id.endsWith(method));
  counter = await startOrders(gate);
});

after(async () => {
  await counter?.program.stop();
  gate?.[Symbol.dispose]();
  await catalog?.program.stop();
  rmSync(scratch, { recursive: true, force: true });
});

function settings(): NodeJS.ProcessEnv {
  const made = { CERTS: join(scratch, "certs"), KEYS: join(scratch, "keys") };
  return { ...made, TILL_MS: "0", KITCHEN_MS: "0" };
}

function makeToken(user: string, role: string): string {
  const args = ["--import", "tsx/esm", join(folder, "token.ts"), "--user", user, "--role", role];
  const env = { ...process.env, KEYS: join(scratch, "keys") };
  return spawnSync(process.execPath, args, { env, encoding: "utf8" }).stdout.trim();
}

function startCatalog(env: NodeJS.ProcessEnv = {}): Promise<RunningServer> {
  return startServer(folder, { ...settings(), ...env }, "catalog-server.ts");
}

/** Its calls to the catalog may take a minute, unless `env` says otherwise. */
async function startOrders({ address }: { address: string }, env: NodeJS.ProcessEnv = {}) {
  const link = { CATALOG_ADDRESS: address, CATALOG_TOKEN: tokens.orders, CATALOG_MS: "60000" };
  const running = await startServer(folder, { ...settings(), ...link, ...env }, "orders-server.ts");
  await eventually(() => running.program.output().includes("reached the catalog"), 60_000);
  return running;
}

/** Connects to a server as this step's programs do, over a connection of its own. */
function dial({ address }: { address: string }, token = tokens.ada) {
  const files = { ca: join(scratch, "certs", "ca.pem"), cert: "", key: "" };
  const security = channelSecurity({ ...files, plaintext: false, token }, address);
  const connection = connect(address, { deadlineMs: 0, verbose: false, security });
  return {
    connection,
    catalog: connection.stub(CatalogServiceClient),
    orders: connection.stub(OrderServiceClient),
    [Symbol.dispose]: () => connection.close(),
  };
}

type Dialled = ReturnType<typeof dial>;

function withHeaders(headers: Record<string, string>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}

/** Places an order for one rye. `leave` cancels it, as a client does that is stopped. */
function order({ orders }: Dialled, id: string, options: CallOptions = soon()) {
  let leave = () => {};
  const placed = unaryCall<CreateOrderResponse>((done) => {
    const lines = [{ productId: "rye", quantity: 1 }];
    const call = orders.createOrder({ lines }, withHeaders({ "x-request-id": id }), options, done);
    leave = () => call.cancel();
  });
  return { placed, leave };
}

async function unitsLeft(at: RunningServer, id: string): Promise<number> {
  using dialled = dial(at, "");
  // Not GetProduct, which a test may have made slow.
  const { products } = await unaryCall<SearchProductsResponse>((done) =>
    dialled.catalog.searchProducts({ query: "" }, new Metadata(), soon(), done),
  );
  return products.find((product) => product.id === id)?.unitsInStock ?? -1;
}

/** Waits until the server has logged the end of a call, and returns that line. */
async function logLine({ program }: RunningServer, method: string, id: string): Promise<string> {
  const find = () =>
    program.lines().find((line) => line.includes(`/${method} `) && line.includes(`id=${id}`));
  await eventually(() => find() !== undefined);
  return find() ?? "";
}

/** Returns the milliseconds after `left=`. */
const leftMs = (line: string) => Number(/ left=(-?\d+)ms /.exec(line)?.[1]);

/** A call as it arrives at the gate. */
interface Arrival {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** Answers it with OK. */
  answer(): void;
  /** Whether the other side has cancelled it, with RST_STREAM. */
  cancelled: boolean;
  /** Whether the answer has left. */
  answered: boolean;
}

interface Gate extends Disposable {
  readonly address: string;
  readonly arrivals: Arrival[];
  /** Waits for so many calls of a method with a request id, and returns the last of them. */
  arrived(method: string, id?: string, count?: number): Promise<Arrival>;
}

/**
 * Starts a catalog in this process that speaks plain HTTP/2, to see what gRPC sends. It answers OK
 * at once, unless `hold` returns true: then it waits until the test answers.
 */
async function openGate(hold: (method: string, id: string) => boolean): Promise<Gate> {
  const file = (name: string) => readFileSync(join(scratch, "certs", name));
  const arrivals: Arrival[] = [];
  const server = createSecureServer({ cert: file("server.pem"), key: file("server-key.pem") });
  server.on("sessionError", () => {});
  server.on("stream", (stream, headers) => {
    const method = String(headers[":path"]).split("/").at(-1) ?? "";
    const arrival = {
      method,
      headers,
      cancelled: false,
      answered: false,
      answer: () => answer(stream),
    };
    stream.on("error", () => {});
    stream.on("aborted", () => {
      arrival.cancelled = stream.rstCode === constants.NGHTTP2_CANCEL;
    });
    stream.on("close", () => {
      arrival.answered = !arrival.cancelled;
    });
    stream.resume();
    arrivals.push(arrival);
    if (!hold(method, String(headers["x-request-id"]))) arrival.answer();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  const port = typeof at === "object" ? at?.port : undefined;
  const arrived = async (method: string, id?: string, count = 1) => {
    const isOne = ({ method: name, headers }: Arrival) =>
      name === method && (id === undefined || headers["x-request-id"] === id);
    const find = () => arrivals.filter(isOne)[count - 1];
    await eventually(() => find() !== undefined);
    const found = find();
    assert.ok(found);
    return found;
  };
  const address = `127.0.0.1:${port}`;
  return { address, arrivals, arrived, [Symbol.dispose]: () => server.close() };
}

/** Sends one message and the status OK. It suits both RPCs: what a client doesn't know, it skips. */
function answer(stream: ServerHttp2Stream): void {
  if (stream.closed || stream.destroyed) return;
  const message = ReserveProductsResponse.encode({ totalCents: 580 }).finish();
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  stream.respond(
    { ":status": 200, "content-type": "application/grpc+proto" },
    { waitForTrailers: true },
  );
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(Buffer.concat([prefix, message]));
}

/** Returns the header grpc-timeout in milliseconds: `180m`, or `3S`. */
function timeoutMs({ headers }: Arrival): number {
  const [, amount = "", unit = ""] = /^(\d+)([mS])$/.exec(String(headers["grpc-timeout"])) ?? [];
  return Number(amount) * (unit === "S" ? 1000 : 1);
}

describe("the time of a call that is made for another", () => {
  it("is what the caller leaves, less a margin", async () => {
    using ada = dial(counter);
    await order(ada, "budget", soon(20_000)).placed;
    const sent = timeoutMs(await gate.arrived("ReserveProducts", "budget"));
    const left = leftMs(await logLine(counter, "CreateOrder", "budget"));
    assert.ok(left > 0 && left <= 20_000, `${left} ms`);
    // The header has whole milliseconds, rounded up.
    assert.ok(sent > 0 && sent <= left - MARGIN_MS + 2, `${left} ms left, ${sent} ms sent`);
  });

  it("is the server's own limit if that is less", async () => {
    await using strict = await startOrders(gate, { CATALOG_MS: "5000" });
    using ada = dial(strict);
    await order(ada, "limit", soon(60_000)).placed;
    const sent = timeoutMs(await gate.arrived("ReserveProducts", "limit"));
    assert.ok(sent > 0 && sent <= 5000, `${sent} ms`);
  });

  it("is the server's own limit for what must be finished", async () => {
    using ada = dial(counter);
    await order(ada, "finish", soon(20_000)).placed;
    const sent = timeoutMs(await gate.arrived("ConfirmReservation", "finish"));
    assert.ok(sent > 20_000 && sent <= 60_000, `${sent} ms`);
  });

  it("is nothing: then the call isn't made", async () => {
    using ada = dial(counter);
    await order(ada, "in-time").placed;
    // On a busy machine, the client's own deadline may pass before the server answers.
    for (let told = false, tries = 0; !told; tries++) {
      assert.ok(tries < 100, "the server never said that no time is left");
      await order(ada, "late", soon(MARGIN_MS)).placed.then(
        () => assert.fail("it was placed without time"),
        ({ code, details }) => {
          assert.equal(code, status.DEADLINE_EXCEEDED, details);
          told = /^no time is left/.test(details);
        },
      );
    }
    await order(ada, "later").placed; // Over the same connection, so it would arrive last.
    await gate.arrived("ConfirmReservation", "later");
    assert.ok(!gate.arrivals.some(({ headers }) => headers["x-request-id"] === "late"));
  });

  it("shrinks from server to server, under one id, and each log says so", async () => {
    await using both = await startOrders(catalog);
    using ada = dial(both);
    await order(ada, "shrinks", soon(20_000)).placed;
    const outer = await logLine(both, "CreateOrder", "shrinks");
    const reserved = await logLine(catalog, "ReserveProducts", "shrinks");
    const confirmed = await logLine(catalog, "ConfirmReservation", "shrinks");
    assert.match(outer, / OK .* user=ada for=- /);
    assert.match(reserved, / OK .* user=orders for=ada /);
    assert.match(confirmed, / OK .* user=orders for=ada /);
    assert.ok(leftMs(reserved) <= leftMs(outer) - MARGIN_MS + 2, `${outer}\n${reserved}`);
    assert.ok(leftMs(confirmed) > 20_000, confirmed);
  });

  it("is up before the customer's is, so that she learns who was late", async () => {
    using ada = dial(counter);
    await order(ada, "quick").placed; // The next call needn't wait for a connection.
    const { placed } = order(ada, "slow-ReserveProducts", soon(2000));
    const isTelling = ({ code, details }: { code: status; details: string }) => {
      // The server has MARGIN_MS for its answer, which a busy machine may not make.
      const inTime = code === status.UNAVAILABLE && /nothing was ordered/.test(details);
      return inTime || code === status.DEADLINE_EXCEEDED;
    };
    const outcome = later(assert.rejects(placed, isTelling));
    const held = await gate.arrived("ReserveProducts", "slow-ReserveProducts");
    await outcome;
    await eventually(() => held.cancelled); // long before the limit of a minute
  });
});

describe("a customer who leaves", () => {
  it("ends the call to the catalog, and takes nothing", async () => {
    const spans: string[] = [];
    const collecting = collector((received) => spans.push(...received.map(({ name }) => name)));
    await new Promise<void>((resolve) => collecting.listen(0, "127.0.0.1", resolve));
    using _ = { [Symbol.dispose]: () => collecting.close() };
    const at = collecting.address();
    const port = typeof at === "object" ? at?.port : undefined;
    const JAEGER = `http://127.0.0.1:${port}`;
    await using slow = await startCatalog({ SLOW_MS: "600000", JAEGER });
    await using both = await startOrders(slow);
    using ada = dial(both);
    const { placed, leave } = order(ada, "leaves", soon(60_000));
    const left = later(fails(placed, status.CANCELLED));
    await eventually(() => slow.program.output().includes("waiting 600000 ms for the database"));
    leave();
    await left;
    assert.match(await logLine(slow, "ReserveProducts", "leaves"), / CANCELLED .* for=ada /);
    assert.match(await logLine(both, "CreateOrder", "leaves"), / CANCELLED /);
    await eventually(() => spans.includes("database")); // A span ends with its work.
    assert.equal(await unitsLeft(slow, "rye"), 8);
    for (const { program } of [slow, both]) assert.doesNotMatch(program.output(), /failed|Error/);
  });

  it("gets nothing confirmed", async () => {
    using ada = dial(counter);
    const { placed, leave } = order(ada, "early-ReserveProducts");
    const left = later(fails(placed, status.CANCELLED));
    const held = await gate.arrived("ReserveProducts", "early-ReserveProducts");
    leave();
    await left;
    await eventually(() => held.cancelled);
    held.answer(); // too late
    await order(ada, "after-early").placed; // Over the same connections, so it would arrive last.
    const confirmed = gate.arrivals.filter(({ method }) => method === "ConfirmReservation");
    assert.ok(
      !confirmed.some(({ headers }) => headers["x-request-id"] === "early-ReserveProducts"),
    );
  });

  it("doesn't end what must be finished: her order is in the book", async () => {
    using ada = dial(counter);
    const idOf = ({ order }: CreateOrderResponse) => Number(order?.id.split("-")[1]);
    const last = idOf(await order(ada, "last").placed);
    const { placed, leave } = order(ada, "too-late-ConfirmReservation");
    const left = later(fails(placed, status.CANCELLED));
    const held = await gate.arrived("ConfirmReservation", "too-late-ConfirmReservation");
    leave();
    await left;
    await logLine(counter, "CreateOrder", "too-late-ConfirmReservation");
    // Were it cancelled, this call over the same connection would arrive after that.
    const next = order(ada, "next-ConfirmReservation");
    const after = await gate.arrived("ConfirmReservation", "next-ConfirmReservation");
    assert.equal(held.cancelled, false);
    held.answer();
    await eventually(() => held.answered);
    after.answer();
    assert.equal(idOf(await next.placed), last + 2);
    const call = ada.orders.trackOrder(soon());
    call.write({ content: { $case: "start", value: { orderId: `order-${last + 1}` } } });
    call.on("error", () => {}); // of the cancellation
    for await (const { content } of call) {
      assert.equal(content?.$case, "status");
      call.cancel();
      break;
    }
  });
});

describe("what goes along", () => {
  it("is picked by name: the id, and the user by whose token the call was made", async () => {
    for (const [token, id, user] of [
      [tokens.ada, "picked-1", "ada"],
      [tokens.zoe, "picked-2", encodeURIComponent(ZOE)],
    ] as const) {
      using customer = dial(counter, token);
      const metadata = withHeaders({
        "x-request-id": id,
        "x-user-id": "bob",
        "x-secret": "s3cret",
        "x-forwarded-for": "10.0.0.1",
        cookie: "session=1",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      });
      const lines = [{ productId: "rye", quantity: 1 }];
      await unaryCall<CreateOrderResponse>((done) =>
        customer.orders.createOrder({ lines }, metadata, soon(), done),
      );
      for (const method of ["ReserveProducts", "ConfirmReservation"]) {
        const { headers } = await gate.arrived(method, id);
        // The others are gRPC's own, in every call.
        const isOwn = (name: string) => !/^(:|grpc-|accept|content-type|te$|user-agent)/.test(name);
        assert.deepEqual(Object.keys(headers).filter(isOwn).sort(), [
          "authorization",
          "x-request-id",
          "x-user-id",
        ]);
        assert.equal(headers["x-user-id"], user);
        assert.equal(headers.authorization, `Bearer ${tokens.orders}`);
      }
    }
  });

  it("is believed only from a service", async () => {
    const cases = [
      [tokens.ada, "bob", "user=ada for=- "],
      [tokens.baker, "bob", "user=bo for=- "],
      ["", "bob", "user=- for=- "],
      [tokens.orders, "bob", "user=orders for=bob "],
      [tokens.orders, encodeURIComponent(ZOE), `user=orders for=${JSON.stringify(ZOE)} `],
      [tokens.orders, "%zz", 'user=orders for="%zz" '],
      [tokens.orders, "bob user=ada", 'user=orders for="bob user=ada" '],
      [tokens.ada, "after the service", "user=ada for=- "], // Nothing sticks to a token.
    ] as const;
    for (const [at, [token, user, wanted]] of cases.entries()) {
      using caller = dial(catalog, token);
      const metadata = withHeaders({ "x-request-id": `believed-${at}`, "x-user-id": user });
      await unaryCall<GetProductResponse>((done) =>
        caller.catalog.getProduct({ id: "rye" }, metadata, soon(), done),
      );
      const line = await logLine(catalog, "GetProduct", `believed-${at}`);
      assert.ok(line.includes(wanted), line);
    }
    using service = dial(catalog, tokens.orders);
    await unaryCall((done) =>
      service.catalog.getProduct(
        { id: "rye" },
        withHeaders({ "x-request-id": "nobody" }),
        soon(),
        done,
      ),
    );
    assert.match(await logLine(catalog, "GetProduct", "nobody"), /user=orders for=- /);
  });

  it("goes on through a service that is called by a service", async () => {
    using gateway = dial(gate, tokens.orders);
    const middle = new Server({
      interceptors: [
        requestIdInterceptor,
        authInterceptor(async () => ({ userId: "gateway", role: "service" })),
      ],
    });
    const reserveProducts = unary((_request: unknown, context: CallContext) => {
      const { metadata, options } = innerCall(context, {});
      const request = { reservationId: "", units: [] };
      return unaryCall<ReserveProductsResponse>((done) =>
        gateway.catalog.reserveProducts(request, metadata, options, done),
      );
    });
    const { reserveProducts: method } = CatalogServiceService;
    middle.addService({ reserveProducts: method }, { reserveProducts });
    using here = await plainClient(middle);
    const metadata = withHeaders({
      authorization: "Bearer any",
      "x-user-id": "ada",
      "x-request-id": "through",
    });
    await unaryCall((done) =>
      here.connection
        .stub(CatalogServiceClient)
        .reserveProducts({ reservationId: "", units: [] }, metadata, soon(), done),
    );
    const { headers } = await gate.arrived("ReserveProducts", "through");
    assert.equal(headers["x-user-id"], "ada");
  });
});

/** Serves in this process, without TLS, and returns a connection. */
async function plainClient(
  server: Server,
): Promise<{ connection: Connection; [Symbol.dispose](): void }> {
  const address = await listenHere(server);
  const security = { credentials: credentials.createInsecure(), channelOptions: {} };
  const connection = connect(address, { deadlineMs: 0, verbose: false, security });
  const end = () => {
    connection.close();
    server.forceShutdown();
  };
  return { connection, [Symbol.dispose]: end };
}

describe("a stream that makes many calls", () => {
  /** Runs `converse` in a bidirectional call, once for each message, and answers each. */
  async function stream(converse: (context: CallContext, at: number) => Promise<void>) {
    const server = new Server();
    let at = 0;
    server.addService(OrderServiceService, {
      createOrder: () => {},
      trackOrder: bidi(new AbortController().signal, async (requests, context) => {
        for (let next = await requests.next(); !next.done; next = await requests.next()) {
          await converse(context, at++);
          await context.send({ content: undefined });
        }
      }),
    });
    return await plainClient(server);
  }

  const listenersOf = ({ asParent }: CallContext): number => asParent.listenerCount("cancelled");

  it("keeps no listener of any: 1,000, a hundred at a time", async () => {
    const warnings: string[] = [];
    const onWarning = ({ name }: Error) => warnings.push(name);
    process.on("warning", onWarning);
    using shop = dial(catalog);
    const counts: number[] = [];
    using here = await stream(async (context) => {
      const before = listenersOf(context);
      const calls = Array.from({ length: 100 }, () => {
        const { metadata, options } = innerCall(context, {});
        return unaryCall<GetProductResponse>((done) =>
          shop.catalog.getProduct({ id: "rye" }, metadata, options, done),
        );
      });
      const during = listenersOf(context);
      await Promise.all(calls);
      counts.push(during - before, listenersOf(context) - before);
    });
    const call = here.connection.stub(OrderServiceClient).trackOrder(soon(120_000));
    const answers = call[Symbol.asyncIterator]();
    for (let round = 0; round < 10; round++) {
      call.write({ content: undefined });
      await answers.next();
    }
    call.end();
    assert.equal((await answers.next()).done, true);
    process.off("warning", onWarning);
    assert.deepEqual(counts, Array.from({ length: 10 }, () => [100, 0]).flat());
    assert.deepEqual(warnings, []);
  });

  it("ends them all when it ends, and begins none afterwards", async () => {
    using silent = await openGate(() => true);
    using shop = dial(silent);
    let outcomes: Promise<PromiseSettledResult<unknown>[]> | undefined;
    let late: Promise<unknown> | undefined;
    using here = await stream(async (context) => {
      const get = () => {
        const { metadata, options } = innerCall(context, {});
        return unaryCall<GetProductResponse>((done) =>
          shop.catalog.getProduct({ id: "rye" }, metadata, options, done),
        );
      };
      outcomes = Promise.allSettled(Array.from({ length: 20 }, get));
      await outcomes;
      late = later((async () => get())());
    });
    const call = here.connection.stub(OrderServiceClient).trackOrder(soon());
    call.on("error", () => {});
    call.write({ content: undefined });
    await silent.arrived("GetProduct", undefined, 20);
    call.cancel();
    await eventually(() => silent.arrivals.every(({ cancelled }) => cancelled));
    for (const outcome of (await outcomes) ?? []) {
      assert.equal(outcome.status === "rejected" && outcome.reason.code, status.CANCELLED);
    }
    await eventually(() => late !== undefined);
    await fails(late ?? Promise.resolve(), status.CANCELLED);
    assert.equal(silent.arrivals.length, 20);
  });
});

describe("the command line", () => {
  it("places an order over both servers, and shows a call without a deadline as such", async () => {
    await using both = await startOrders(catalog);
    const env = {
      BAKERY_ADDRESS: catalog.address,
      ORDERS_ADDRESS: both.address,
      BAKERY_CA: join(scratch, "certs", "ca.pem"),
      BAKERY_TOKEN: tokens.ada,
    };
    const placed = await runClient(folder, ["order", "baguette=1"], env);
    assert.match(placed.stdout, /^ID: order-1$/m);
    assert.equal((await runClient(folder, ["watch", "rye", "--count", "1"], env)).exitCode, 0);
    await eventually(() => / left=- /.test(catalog.program.output()));
  });
});
