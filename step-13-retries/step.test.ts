// Step 13 over the wire: calls that are repeated, and what is done only once all the same.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it, mock } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { Metadata, Server, type ServiceError, type StatusObject, status } from "@grpc/grpc-js";
import type { Order } from "../shared/bakery/orders.ts";
import {
  eventually,
  inThisProcess,
  listenHere,
  type RunningServer,
  runClient,
  startProgram,
  startServer,
} from "../shared/testing/servers.ts";
import { bakeryRetries } from "./bakery-retries.ts";
import { channelSecurity } from "./client/channel-credentials.ts";
import { connect } from "./client/connection.ts";
import { registerReplicas } from "./client/replicas.ts";
import { unaryCall } from "./client/unary-call.ts";
import {
  CatalogServiceClient,
  CatalogServiceService,
  type GetProductResponse,
} from "./gen/bakery/v1/catalog.ts";
import { type CreateOrderResponse, OrderServiceClient } from "./gen/bakery/v1/orders.ts";
import { type HealthCheckResponse, HealthClient } from "./gen/grpc/health/v1/health.ts";
import { placingOnce } from "./orders/place-once.ts";

const folder = import.meta.dirname;
/** Under the control, whose programs are those of the step before, the tests needn't be patient. */
const PATIENCE_MS = process.env.COURSE_CONTROL === undefined ? 60_000 : 3000;
const soon = () => ({ deadline: Date.now() + PATIENCE_MS });
const retryPolicies = bakeryRetries.methodConfig.map(({ name, retryPolicy }) => ({
  name,
  retryPolicy,
}));
const unthrottled = { methodConfig: retryPolicies };

let scratch: string;
let list: string;
const tokens = { ada: "", ben: "", baker: "", orders: "" };

before(() => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "course-retries-")));
  list = join(scratch, "replicas.json");
  tokens.ada = makeToken("ada", "customer");
  tokens.ben = makeToken("ben", "customer");
  tokens.baker = makeToken("bo", "baker");
  tokens.orders = makeToken("orders", "service");
  registerReplicas(list);
});

afterEach(() => mock.restoreAll());
after(() => rmSync(scratch, { recursive: true, force: true }));

function settings(): NodeJS.ProcessEnv {
  const made = { CERTS: join(scratch, "certs"), KEYS: join(scratch, "keys") };
  return { ...made, TILL_MS: "0", KITCHEN_MS: "0" };
}

function makeToken(user: string, role: string): string {
  const args = ["--import", "tsx/esm", join(folder, "token.ts"), "--user", user, "--role", role];
  const env = { ...process.env, KEYS: join(scratch, "keys") };
  return spawnSync(process.execPath, args, { env, encoding: "utf8" }).stdout.trim();
}

async function start(file: string, env: NodeJS.ProcessEnv): Promise<RunningServer> {
  try {
    return await startServer(folder, { ...settings(), ...env }, file);
  } catch (error) {
    return assert.fail(String(error));
  }
}

const startCatalog = (env: NodeJS.ProcessEnv = {}) => start("catalog-server.ts", env);

/** Starts the orders' server. Its calls to the catalog may take long, because the machine may be busy. */
async function startOrders(catalog: RunningServer, env: NodeJS.ProcessEnv = {}) {
  const own = { CATALOG_ADDRESS: catalog.address, CATALOG_TOKEN: tokens.orders };
  const orders = await start("orders-server.ts", { ...own, CATALOG_MS: "20000", ...env });
  await eventually(() => orders.program.output().includes("reached the catalog"), PATIENCE_MS);
  return orders;
}

/** Connects as this step's client does, over a connection of its own. */
function dial(target: string, token = "", serviceConfig: object = unthrottled) {
  const files = { ca: join(scratch, "certs", "ca.pem"), cert: "", key: "" };
  const security = channelSecurity({ ...files, plaintext: false, token }, target);
  const connection = connect(target, { deadlineMs: 0, verbose: false, security, serviceConfig });
  return {
    catalog: connection.stub(CatalogServiceClient),
    orders: connection.stub(OrderServiceClient),
    health: connection.stub(HealthClient),
    [Symbol.dispose]: () => connection.close(),
  };
}

type Dialled = ReturnType<typeof dial>;

async function get({ catalog }: Pick<Dialled, "catalog">, id = "rye", options = soon()) {
  const { product } = await unaryCall<GetProductResponse>((done) =>
    catalog.getProduct({ id }, new Metadata(), options, done),
  );
  return product?.unitsInStock ?? -1;
}

/** Places an order of rye. `status` is what came last on the wire. */
async function order({ orders }: Dialled, idempotencyKey: string, quantity = 1) {
  const lines = [{ productId: "rye", quantity }];
  let trailers: StatusObject | undefined;
  const placed = await unaryCall<CreateOrderResponse>((done) => {
    const call = orders.createOrder({ lines, idempotencyKey }, new Metadata(), soon(), done);
    call.on("status", (ended: StatusObject) => {
      trailers = ended;
    });
  }).catch((error: ServiceError) => ({ error, order: undefined }));
  const error = "error" in placed ? placed.error : undefined;
  const previous = error?.metadata.get("grpc-previous-rpc-attempts")[0] ?? 0;
  const pushback = trailers?.metadata.get("grpc-retry-pushback-ms")[0];
  return { id: placed.order?.id, code: error?.code, details: error?.details, previous, pushback };
}

async function restock(at: string, units: number) {
  using baker = dial(at, tokens.baker);
  await unaryCall((done) => {
    const call = baker.catalog.restockProducts(new Metadata(), soon(), done);
    call.write({ content: { $case: "crate", value: { productId: "rye", units } } });
    call.write({ content: { $case: "deliveryNote", value: { crates: 1 } } });
    call.end();
  });
}

async function leftAt({ address }: RunningServer): Promise<number> {
  using client = dial(address);
  return await get(client);
}

/** Returns the results of a method's calls in a server's log, such as `OK 1` with the attempt. */
function logged({ program }: RunningServer, method: string): string[] {
  return program.lines().flatMap((line) => {
    const [, name, code, attempt] =
      /Service\/(\w+) (\w+) .* attempt=(\S+)/.exec(line.replace(/ user=.*/, "")) ?? [];
    return name === method ? [`${code} ${attempt}`] : [];
  });
}

async function untilLogged(server: RunningServer, method: string, calls: string[]) {
  await eventually(() => logged(server, method).length >= calls.length, PATIENCE_MS);
  assert.deepEqual(logged(server, method), calls);
}

describe("a server with FAIL_PERCENT", () => {
  it("refuses that share of calls, and retries hide it", async (test) => {
    await using catalog = await startCatalog({ FAIL_PERCENT: "30" });
    for (const [config, ok] of [
      [{}, 70],
      [unthrottled, 100],
    ] as const) {
      using client = dial(catalog.address, "", config);
      let answered = 0;
      for (let n = 0; n < 100; n++) {
        await get(client).then(
          () => answered++,
          ({ code }: ServiceError) => assert.equal(code, status.UNAVAILABLE),
        );
      }
      assert.equal(answered, ok);
    }
    await eventually(() => logged(catalog, "GetProduct").includes("OK 2"), PATIENCE_MS);
    test.diagnostic(`200 calls: ${logged(catalog, "GetProduct").length} attempts`);
  });

  it("spares streams and other services, and repeats no call that fails otherwise", async () => {
    await using catalog = await startCatalog({ FAIL_PERCENT: "100" });
    await restock(catalog.address, 5);
    using client = dial(catalog.address);
    const { status: serving } = await unaryCall<HealthCheckResponse>((done) =>
      client.health.check({ service: "" }, new Metadata(), soon(), done),
    );
    assert.equal(serving, "SERVING");
    const levels = client.catalog.watchProducts({ productIds: ["rye"] }, soon());
    levels.on("error", () => {}); // Of the cancellation, when the loop is over.
    for await (const level of levels) {
      assert.equal(level.unitsInStock, 13);
      break;
    }
    await assert.rejects(get(client), { code: status.UNAVAILABLE, details: "FAULT=refuse" });
    const four = [1, 2, 3, 4].map((attempt) => `UNAVAILABLE ${attempt}`);
    await untilLogged(catalog, "GetProduct", four);

    await using sound = await startCatalog();
    using other = dial(sound.address);
    await assert.rejects(get(other, "cake"), { code: status.NOT_FOUND });
    await untilLogged(sound, "GetProduct", ["NOT_FOUND 1"]);
  });

  it("accepts no other fault, nor more than all calls", async () => {
    for (const env of [{ FAIL_PERCENT: "101" }, { FAULT: "explode" }]) {
      const program = startProgram(folder, "catalog-server.ts", [], { ...settings(), ...env });
      await using _ = { [Symbol.asyncDispose]: () => program.stop() };
      assert.ok(await program.ends(PATIENCE_MS), "the setting is accepted");
      assert.equal(program.exitCode, 2, program.output());
    }
  });

  it("gets no repetitions once half of the tokens are gone", async () => {
    await using catalog = await startCatalog({ FAIL_PERCENT: "100" });
    using client = dial(catalog.address, "", bakeryRetries);
    const calls = Array.from({ length: 60 }, () => get(client));
    for (const { status: outcome } of await Promise.allSettled(calls)) {
      assert.equal(outcome, "rejected");
    }
    const before = logged(catalog, "GetProduct").length;
    await assert.rejects(get(client), { code: status.UNAVAILABLE });
    await eventually(() => logged(catalog, "GetProduct").length > before, PATIENCE_MS);
    assert.equal(logged(catalog, "GetProduct").at(-1), "UNAVAILABLE 1");
    // 60 calls, repeated at most until 50 attempts have failed.
    assert.ok(before <= 60 + 50, `${before} attempts`);
  });
});

describe("an order", () => {
  it("with a key is placed once, even if its answer is lost", async () => {
    await using catalog = await startCatalog();
    await restock(catalog.address, 100);
    await using orders = await startOrders(catalog, { FAIL_PERCENT: "50", FAULT: "lose" });
    using ada = dial(orders.address, tokens.ada);
    const ids: (string | undefined)[] = [];
    for (let n = 0; n < 10; n++) ids.push((await order(ada, randomUUID())).id);
    const expected = Array.from({ length: 10 }, (_, n) => `order-${n + 1}`);
    assert.deepEqual(ids, expected);
    assert.equal(await leftAt(catalog), 108 - 10);
    assert.ok(logged(orders, "CreateOrder").includes("OK 2"), "no order was repeated");
  });

  it("without a key isn't repeated", async () => {
    await using catalog = await startCatalog();
    for (const FAULT of ["lose", "refuse"]) {
      await using orders = await startOrders(catalog, { FAIL_PERCENT: "100", FAULT });
      using ada = dial(orders.address, tokens.ada);
      const { code, previous, pushback } = await order(ada, "");
      assert.deepEqual([code, previous, pushback], [status.UNAVAILABLE, 0, "-1"]);
      await untilLogged(orders, "CreateOrder", ["UNAVAILABLE 1"]);
    }
    assert.equal(await leftAt(catalog), 7); // The first server has placed it.
    await using sound = await startOrders(catalog);
    using ada = dial(sound.address, tokens.ada);
    const placed = [await order(ada, ""), await order(ada, "")];
    assert.deepEqual(
      placed.map(({ id, pushback }) => [id, pushback]),
      [
        ["order-1", undefined],
        ["order-2", undefined],
      ],
    );
  });

  it("is the same under the same key, for the same customer and lines", async () => {
    await using catalog = await startCatalog();
    await using orders = await startOrders(catalog);
    using ada = dial(orders.address, tokens.ada);
    using ben = dial(orders.address, tokens.ben);
    assert.equal((await order(ada, "monday", 2)).id, "order-1");
    assert.equal((await order(ada, "monday", 2)).id, "order-1");
    const other = await order(ada, "monday", 3);
    assert.equal(other.code, status.ALREADY_EXISTS);
    assert.equal(other.details, "the idempotency_key stands for other lines");
    assert.equal((await order(ben, "monday", 3)).id, "order-2");
    assert.equal(await leftAt(catalog), 3);
    const together = Array.from({ length: 5 }, () => order(ada, "tuesday"));
    for (const { id } of await Promise.all(together)) assert.equal(id, "order-3");
    assert.equal(await leftAt(catalog), 2);
    assert.equal((await order(ada, "k".repeat(65))).code, status.INVALID_ARGUMENT);
    assert.equal((await order(ada, "k".repeat(64))).id, "order-4");
  });

  it("that has failed can be placed under the same key", async () => {
    await using catalog = await startCatalog();
    await using orders = await startOrders(catalog);
    using ada = dial(orders.address, tokens.ada);
    const failed = await order(ada, "big", 9);
    assert.deepEqual([failed.code, failed.previous], [status.FAILED_PRECONDITION, 0]);
    await restock(catalog.address, 1);
    assert.equal((await order(ada, "big", 9)).id, "order-1");
    assert.equal(await leftAt(catalog), 0);
  });

  it("takes its units once, even if the orders' server forgets its key", async () => {
    await using catalog = await startCatalog();
    for (const _ of ["first", "after a restart"]) {
      await using orders = await startOrders(catalog);
      using ada = dial(orders.address, tokens.ada);
      assert.equal((await order(ada, "monday", 2)).id, "order-1");
      assert.equal(await leftAt(catalog), 6);
    }
    await using orders = await startOrders(catalog);
    using ada = dial(orders.address, tokens.ada);
    assert.equal((await order(ada, "monday", 3)).code, status.ALREADY_EXISTS);
  });
});

describe("two services in a row", () => {
  it("lose no order if the answer to ConfirmReservation is lost", async () => {
    await using catalog = await startCatalog({ FAIL_PERCENT: "50", FAULT: "lose" });
    await using orders = await startOrders(catalog);
    using ada = dial(orders.address, tokens.ada);
    // The second call of four is lost: ReserveProducts, ConfirmReservation, ConfirmReservation.
    assert.equal((await order(ada, "", 2)).id, "order-1");
    await untilLogged(catalog, "ConfirmReservation", ["UNAVAILABLE 1", "OK 2"]);
    assert.equal(await leftAt(catalog), 6);
    // Now the first: ReserveProducts, ReserveProducts, ConfirmReservation, ConfirmReservation.
    assert.equal((await order(ada, "", 1)).id, "order-2");
    assert.equal(await leftAt(catalog), 5);
  });

  it("don't multiply their attempts", async (test) => {
    await using catalog = await startCatalog({ FAIL_PERCENT: "100" });
    await using orders = await startOrders(catalog);
    using ada = dial(orders.address, tokens.ada);
    const { code, details, previous, pushback } = await order(ada, randomUUID());
    assert.equal(code, status.UNAVAILABLE);
    assert.equal(details, "the catalog is unavailable; nothing was ordered");
    assert.deepEqual([previous, pushback], [0, "-1"]);
    await untilLogged(orders, "CreateOrder", ["UNAVAILABLE 1"]);
    const four = [1, 2, 3, 4].map((attempt) => `UNAVAILABLE ${attempt}`);
    await untilLogged(catalog, "ReserveProducts", four);
    test.diagnostic(`one order: ${four.length} attempts at the catalog`);
  });
});

describe("three servers, one of which is killed", () => {
  it("lose no call, unless its answer had begun", async (test) => {
    await using leader = await startCatalog();
    const follow = { FOLLOW: leader.address };
    // At 200 calls a second, some are always in progress at the slow one.
    const slow = { ...follow, SLOW_MS: "50" };
    const replicas = [startCatalog(slow), startCatalog(follow)] as const;
    const [second, third] = await Promise.all(replicas);
    await using _second = second;
    await using _third = third;
    const catalog = [leader, second, third].map(({ address }) => address);
    writeFileSync(list, JSON.stringify({ catalog }));
    using client = dial("replicas:catalog", "", bakeryRetries);
    for (const server of [leader, second, third]) {
      const isConnected = () => /GetProduct OK/.test(server.program.output());
      const deadline = Date.now() + PATIENCE_MS;
      while (!isConnected() && Date.now() < deadline) await get(client);
    }
    const failures: ServiceError[] = [];
    const calls: Promise<unknown>[] = [];
    const load = setInterval(() => {
      if (calls.length === 200) second.program.kill("SIGKILL");
      calls.push(get(client).catch((error: ServiceError) => failures.push(error)));
    }, 5);
    await eventually(() => calls.length >= 400, 120_000);
    clearInterval(load);
    await Promise.all(calls);
    await second.program.ends(PATIENCE_MS);
    test.diagnostic(`SIGKILL at 200 calls/s: ${failures.length} of ${calls.length} calls lost`);
    for (const { code, metadata } of failures) {
      assert.equal(code, status.UNAVAILABLE);
      // It was the first attempt, and its headers had come: grpc-js repeats no such call.
      assert.deepEqual(metadata.get("grpc-previous-rpc-attempts"), []);
    }
    assert.ok(failures.length < 10, `${failures.length} calls lost`);
    const repeated = [leader, third].flatMap((server) => logged(server, "GetProduct"));
    assert.ok(repeated.includes("OK 2"), "no call was repeated");
  });
});

describe("the command line", () => {
  it("shows attempts, and takes a key", async () => {
    await using catalog = await startCatalog({ FAIL_PERCENT: "50" });
    await using orders = await startOrders(catalog);
    const env = {
      BAKERY_ADDRESS: catalog.address,
      ORDERS_ADDRESS: orders.address,
      BAKERY_CA: join(scratch, "certs", "ca.pem"),
      BAKERY_TOKEN: tokens.ada,
    };
    const run = (...args: string[]) =>
      runClient(folder, [...args, "--verbose", "--deadline-ms", "30000"], env);
    assert.match((await run("get", "rye")).stderr, /^GetProduct OK \d+ms attempts=1 id=/m);
    assert.match((await run("get", "rye")).stderr, /^GetProduct OK \d+ms attempts=2 id=/m);
    const [first, second] = [await run("order", "rye=1"), await run("order", "rye=1")];
    assert.match(first.stdout, /^ID: order-1$/m, first.stderr);
    assert.match(second.stdout, /^ID: order-2$/m, second.stderr);
    const key = ["--idempotency-key", "k"];
    assert.match((await run("order", "rye=1", ...key)).stdout, /^ID: order-3$/m);
    assert.match((await run("order", "rye=1", ...key)).stdout, /^ID: order-3$/m);
    const refused = await run("order", "rye=2", ...key);
    assert.equal(refused.exitCode, 64 + status.ALREADY_EXISTS);

    await using failing = await startCatalog({ FAIL_PERCENT: "100" });
    const failed = await run("get", "rye", "--address", failing.address);
    assert.equal(failed.exitCode, 64 + status.UNAVAILABLE);
    assert.match(failed.stderr, /^GetProduct UNAVAILABLE \d+ms attempts=4 id=/m);
  });
});

describe("the policy", inThisProcess, () => {
  /** A server in this process, and the calls that have reached it. */
  async function serving(code: status, tookMs = 0) {
    const server = new Server();
    let calls = 0;
    const fail = (_call: unknown, callback: (error: Partial<StatusObject>) => void) => {
      calls++;
      setTimeout(() => callback({ code, details: "" }), tookMs);
    };
    const { getProduct, searchProducts } = CatalogServiceService;
    server.addService({ getProduct, searchProducts }, { getProduct: fail, searchProducts: fail });
    const address = await listenHere(server);
    return { address, calls: () => calls, [Symbol.dispose]: () => server.forceShutdown() };
  }

  function dialHere(address: string, serviceConfig: object) {
    const files = { ca: "", cert: "", key: "", token: "" };
    const security = channelSecurity({ ...files, plaintext: true }, address);
    const connection = connect(address, { deadlineMs: 0, verbose: false, security, serviceConfig });
    const catalog = connection.stub(CatalogServiceClient);
    return { catalog, [Symbol.dispose]: () => connection.close() };
  }

  it("repeats a call that ended with UNAVAILABLE, and no other", async () => {
    for (const [code, attempts] of [
      [status.UNAVAILABLE, 4],
      [status.INTERNAL, 1],
      [status.RESOURCE_EXHAUSTED, 1],
      [status.DEADLINE_EXCEEDED, 1],
      [status.ABORTED, 1],
    ] as const) {
      using server = await serving(code);
      using client = dialHere(server.address, bakeryRetries);
      await assert.rejects(get(client), { code });
      assert.equal(server.calls(), attempts, status[code]);
    }
  });

  it("limits how long a read may take, whatever its deadline", async () => {
    using server = await serving(status.NOT_FOUND, 30_000);
    using client = dialHere(server.address, bakeryRetries);
    const startedAt = performance.now();
    await assert.rejects(get(client), { code: status.DEADLINE_EXCEEDED });
    assert.ok(performance.now() - startedAt > 2400, "the timeout came too early");
  });

  it('has no timeout such as "0.5s", which grpc-js 1.14 misreads', async () => {
    using server = await serving(status.NOT_FOUND, 20);
    const [reads] = bakeryRetries.methodConfig;
    for (const [timeout, code] of [
      ["0.5s", status.DEADLINE_EXCEEDED],
      ["20.500000000s", status.NOT_FOUND],
      ["20s", status.NOT_FOUND],
      [{ seconds: 20, nanos: 500_000_000 }, status.NOT_FOUND],
    ] as const) {
      using client = dialHere(server.address, {
        methodConfig: [{ name: reads?.name ?? [], timeout }],
      });
      await assert.rejects(get(client), { code }, JSON.stringify(timeout));
    }
  });

  it("shows the attempts of a call whose deadline has passed, too", async () => {
    const said = mock.method(console, "error", () => {});
    const server = new Server();
    let calls = 0;
    const { getProduct } = CatalogServiceService;
    server.addService(
      { getProduct },
      {
        getProduct(_call: unknown, callback: (error: Partial<StatusObject>) => void) {
          if (++calls === 1) callback({ code: status.UNAVAILABLE, details: "" }); // the second hangs
        },
      },
    );
    const address = await listenHere(server);
    const files = { ca: "", cert: "", key: "", token: "" };
    const security = channelSecurity({ ...files, plaintext: true }, address);
    const options = { deadlineMs: 0, verbose: true, security, serviceConfig: bakeryRetries };
    const connection = connect(address, options);
    const catalog = connection.stub(CatalogServiceClient);
    const deadline = Date.now() + 2000;
    await assert.rejects(get({ catalog }, "rye", { deadline }), {
      code: status.DEADLINE_EXCEEDED,
    });
    assert.match(
      String(said.mock.calls[0]?.arguments[0]),
      /^GetProduct DEADLINE_.* attempts=2 id=/,
    );
    connection.close();
    server.forceShutdown();
  });

  it("is refused by grpc-js if it makes no sense", () => {
    const wrong = { ...bakeryRetries.methodConfig[0]?.retryPolicy, maxAttempts: 1 };
    assert.throws(() =>
      dialHere("127.0.0.1:1", { methodConfig: [{ name: [], retryPolicy: wrong }] }),
    );
  });
});

describe("keys", inThisProcess, () => {
  const lines = [{ productId: "rye", quantity: 1 }];
  let placed = 0;
  const place = async (): Promise<Order> => {
    placed++;
    const now = new Date();
    const of = { id: `order-${placed}`, lines, totalCents: 1, customerId: "ada" };
    return { ...of, status: "RECEIVED", statusSince: now, createdAt: now };
  };

  it("are bounded in number and age", async () => {
    const placeOnce = placingOnce();
    const idOf = async (key: string) =>
      (await placeOnce({ customerId: "ada", key, lines }, place)).id;
    const first = await idOf("first");
    assert.equal(await idOf("first"), first);
    for (let n = 0; n < 10_000; n++) await idOf(`key-${n}`);
    const second = await idOf("first");
    assert.notEqual(second, first);
    assert.equal(await idOf("first"), second);
    const day = performance.now() + 24 * 60 * 60_000 + 10_000;
    mock.method(performance, "now", () => day);
    await wait(20); // lru-cache reads the clock at most once a millisecond.
    assert.notEqual(await idOf("first"), second);
  });

  it("give all attempts the same reservation, until one succeeds", async () => {
    const placeOnce = placingOnce();
    const reservations: string[] = [];
    const attempts = Array.from({ length: 4 }, (_, n) =>
      placeOnce({ customerId: "ada", key: "k", lines }, async (reservationId) => {
        reservations.push(reservationId);
        if (n < 2) throw new Error(`attempt ${n}`);
        return place();
      }),
    );
    const [first, second, third, fourth] = await Promise.allSettled(attempts);
    assert.deepEqual([first?.status, second?.status], ["rejected", "rejected"]);
    assert.deepEqual([third?.status, fourth], ["fulfilled", third]);
    assert.equal(reservations.length, 3);
    assert.equal(new Set(reservations).size, 1);
    assert.match(reservations[0] ?? "", /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
  });
});
