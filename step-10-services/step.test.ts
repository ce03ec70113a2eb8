// Step 10 over the wire: two servers, orders between them, and one of the two away.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import type { Server as HttpServer } from "node:http";
import { createRequire } from "node:module";
import { connect as connectTcp, createServer, type Server as TcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { noSignals, type Program } from "../shared/testing/programs.ts";
import {
  eventually,
  type RunningServer,
  runClient,
  startProgram,
  startServer,
} from "../shared/testing/servers.ts";
import { collector, type Span } from "../shared/traces/spans.ts";
import { channelSecurity } from "./client/channel-credentials.ts";
import { connect } from "./client/connection.ts";
import { unaryCall } from "./client/unary-call.ts";
import {
  CatalogServiceClient,
  CatalogServiceService,
  type ConfirmReservationRequest,
  type ConfirmReservationResponse,
  type GetProductResponse,
  type ReserveProductsRequest,
  type ReserveProductsResponse,
} from "./gen/bakery/v1/catalog.ts";
import { type CreateOrderResponse, OrderServiceClient } from "./gen/bakery/v1/orders.ts";
import { type HealthCheckResponse, HealthClient } from "./gen/grpc/health/v1/health.ts";

const folder = import.meta.dirname;
const HOLD_MS = 3000;
const NOTHING_ORDERED = "the catalog is unavailable; nothing was ordered";
const soon = () => ({ deadline: Date.now() + 30_000 });
const fails = (call: Promise<unknown>, code: status, details?: string | RegExp) =>
  assert.rejects(call, details === undefined ? { code } : { code, details });

/** Keys and certificates of all servers here. */
let scratch: string;
/** The tokens of a customer, of a baker, and of the orders' server. */
const tokens = { ada: "", baker: "", orders: "" };
let catalog: RunningServer;
let orders: RunningServer;

before(async () => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "course-services-")));
  tokens.ada = makeToken("ada", "customer");
  tokens.baker = makeToken("bo", "baker");
  tokens.orders = makeToken("orders", "service");
  catalog = await startCatalog();
  orders = await startOrders(catalog);
});

after(async () => {
  await orders?.program.stop();
  await catalog?.program.stop();
  rmSync(scratch, { recursive: true, force: true });
});

function settings(): NodeJS.ProcessEnv {
  const made = { CERTS: join(scratch, "certs"), KEYS: join(scratch, "keys") };
  return { ...made, TILL_MS: "0", KITCHEN_MS: "20" };
}

function makeToken(user: string, role: string): string {
  const args = ["--import", "tsx/esm", join(folder, "token.ts"), "--user", user, "--role", role];
  const env = { ...process.env, KEYS: join(scratch, "keys") };
  return spawnSync(process.execPath, args, { env, encoding: "utf8" }).stdout.trim();
}

function startCatalog(env: NodeJS.ProcessEnv = {}): Promise<RunningServer> {
  const own = { ...settings(), HOLD_MS: `${HOLD_MS}` };
  return startServer(folder, { ...own, ...env }, "catalog-server.ts");
}

function startOrders({ address }: { address: string }, env: NodeJS.ProcessEnv = {}) {
  const link = { CATALOG_ADDRESS: address, CATALOG_TOKEN: tokens.orders, CATALOG_MS: "10000" };
  return startServer(folder, { ...settings(), ...link, ...env }, "orders-server.ts");
}

/** Connects to a server as this step's client does, over a connection of its own. */
function dial({ address }: { address: string }, token = tokens.ada) {
  const files = { ca: join(scratch, "certs", "ca.pem"), cert: "", key: "" };
  const security = channelSecurity({ ...files, plaintext: false, token }, address);
  const connection = connect(address, { deadlineMs: 0, verbose: false, security });
  return {
    catalog: connection.stub(CatalogServiceClient),
    orders: connection.stub(OrderServiceClient),
    health: connection.stub(HealthClient),
    [Symbol.dispose]: () => connection.close(),
  };
}

type Dialled = ReturnType<typeof dial>;

async function order({ orders }: Dialled, productId: string, quantity = 1) {
  const lines = [{ productId, quantity }];
  const { order } = await unaryCall<CreateOrderResponse>((done) =>
    orders.createOrder({ lines }, new Metadata(), soon(), done),
  );
  return order;
}

const reserve = ({ catalog }: Dialled, request: ReserveProductsRequest) =>
  unaryCall<ReserveProductsResponse>((done) =>
    catalog.reserveProducts(request, new Metadata(), soon(), done),
  );

const confirm = ({ catalog }: Dialled, reservationId: string) =>
  unaryCall<ConfirmReservationResponse>((done) =>
    catalog.confirmReservation({ reservationId }, new Metadata(), soon(), done),
  );

async function unitsLeft(at: RunningServer, id: string): Promise<number> {
  using dialled = dial(at, "");
  const { product } = await unaryCall<GetProductResponse>((done) =>
    dialled.catalog.getProduct({ id }, new Metadata(), soon(), done),
  );
  return product?.unitsInStock ?? -1;
}

/** Waits until so many units of the product are on the shelf. */
async function untilUnitsLeft(at: RunningServer, id: string, wanted: number): Promise<void> {
  using dialled = dial(at, "");
  const call = dialled.catalog.watchProducts({ productIds: [id] }, soon());
  call.on("error", () => {}); // Of the cancellation, when the loop is over.
  for await (const { unitsInStock } of call) if (unitsInStock === wanted) return;
}

async function servingStatus(at: RunningServer, service: string): Promise<string> {
  using dialled = dial(at, "");
  const { status } = await unaryCall<HealthCheckResponse>((done) =>
    dialled.health.check({ service }, new Metadata(), soon(), done),
  );
  return status;
}

/** Lets a server in this process listen on a free port. */
async function listen(server: TcpServer | HttpServer) {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  const close = () => {
    server.close();
    if ("closeAllConnections" in server) server.closeAllConnections();
  };
  return { port: typeof at === "object" ? (at?.port ?? 0) : 0, [Symbol.dispose]: close };
}

/** Repeats `act` until it returns true. Each time waits for an answer, so this is no busy loop. */
async function until(act: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await act())) assert.ok(Date.now() < deadline, `still not so: ${act}`);
}

describe("an order", () => {
  it("takes its units from the catalog's shelf", async () => {
    using ada = dial(orders);
    const placed = await order(ada, "rye", 2);
    assert.deepEqual([placed?.id, placed?.totalCents], ["order-1", 1160]);
    assert.equal(placed?.customerId, "ada");
    assert.equal(await unitsLeft(catalog, "rye"), 6);
  });

  it("passes on what the customer did wrong, and takes nothing", async () => {
    using ada = dial(orders);
    await fails(order(ada, "rye", 7), status.FAILED_PRECONDITION, "7 rye ordered, 6 left");
    await fails(order(ada, "cake"), status.NOT_FOUND, /^no product "cake"/);
    await fails(order(ada, "rye", 0), status.INVALID_ARGUMENT);
    assert.equal(await unitsLeft(catalog, "rye"), 6);
  });

  it("of 40 clients at once: the last unit is sold once", async () => {
    const clients = Array.from({ length: 40 }, () => dial(orders));
    const placed = await Promise.allSettled(clients.map((client) => order(client, "croissant")));
    for (const client of clients) client[Symbol.dispose]();
    const sold = placed.filter((one) => one.status === "fulfilled").length;
    assert.deepEqual([sold, await unitsLeft(catalog, "croissant")], [24, 0]);
    for (const one of placed) {
      if (one.status === "fulfilled") continue;
      assert.equal(one.reason.code, status.FAILED_PRECONDITION);
    }
  });

  it("is placed by the command line, which knows both servers", async () => {
    const env = {
      BAKERY_ADDRESS: catalog.address,
      ORDERS_ADDRESS: orders.address,
      BAKERY_CA: join(scratch, "certs", "ca.pem"),
      BAKERY_TOKEN: tokens.ada,
    };
    const run = async (...args: string[]) => await runClient(folder, args, env);
    const ordered = await run("order", "baguette=3", "--track");
    assert.match(ordered.stdout, /^Total: \$8\.70\n(.*\n)*\[bakery\] DELIVERED$/m);
    assert.match((await run("get", "baguette")).stdout, /^In stock: 17$/m);
    assert.equal((await run("health", "bakery.v1.OrderService")).stdout, "SERVING\n");
    assert.equal((await run("health", "bakery.v1.CatalogService")).stdout, "SERVING\n");
    const astray = await run("order", "rye=1", "--orders-address", catalog.address);
    assert.equal(astray.exitCode, 64 + status.UNIMPLEMENTED);
  });
});

describe("a reservation", () => {
  const units = [{ productId: "apple-tart", quantity: 3 }];

  it("asked for 20 times takes once, and returns unless it is confirmed", async () => {
    using service = dial(catalog, tokens.orders);
    const reservationId = "8d2f6c1e-0b7a-4a55-9a3c-5e0c3d6f7a01";
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => reserve(service, { reservationId, units })),
    );
    assert.deepEqual(new Set(answers.map(({ totalCents }) => totalCents)), new Set([1350]));
    assert.equal(await unitsLeft(catalog, "apple-tart"), 6);
    const other = [{ productId: "apple-tart", quantity: 4 }];
    await fails(reserve(service, { reservationId, units: other }), status.ALREADY_EXISTS);
    await untilUnitsLeft(catalog, "apple-tart", 9);
    await fails(confirm(service, reservationId), status.NOT_FOUND);
  });

  it("that is confirmed stays, however often it is confirmed", async () => {
    using service = dial(catalog, tokens.orders);
    const kept = { reservationId: "8d2f6c1e-0b7a-4a55-9a3c-5e0c3d6f7a02", units };
    const left = { reservationId: "8d2f6c1e-0b7a-4a55-9a3c-5e0c3d6f7a03", units };
    await reserve(service, kept);
    await confirm(service, kept.reservationId);
    await confirm(service, kept.reservationId);
    await reserve(service, left);
    assert.equal(await unitsLeft(catalog, "apple-tart"), 3);
    await untilUnitsLeft(catalog, "apple-tart", 6); // The younger hold is over, so the older would be.
    assert.deepEqual(await reserve(service, kept), { totalCents: 1350 });
    assert.equal(await unitsLeft(catalog, "apple-tart"), 6);
  });

  it("is whole or not at all, and checked first", async () => {
    using service = dial(catalog, tokens.orders);
    const reservationId = "8d2f6c1e-0b7a-4a55-9a3c-5e0c3d6f7a04";
    const line = (productId: string, quantity: number) => ({ productId, quantity });
    const refused = async (units: ReserveProductsRequest["units"], code: status) =>
      fails(reserve(service, { reservationId, units }), code);
    await refused([line("ciabatta", 2), line("brioche", 7)], status.FAILED_PRECONDITION);
    await refused([line("ciabatta", 2), line("cake", 1)], status.NOT_FOUND);
    await refused([line("ciabatta", 0)], status.INVALID_ARGUMENT);
    await refused([line("ciabatta", 1001)], status.INVALID_ARGUMENT);
    await refused([], status.INVALID_ARGUMENT);
    await refused(Array(101).fill(line("ciabatta", 1)), status.INVALID_ARGUMENT);
    for (const reservationId of ["", "order-1"]) {
      await fails(reserve(service, { reservationId, units }), status.INVALID_ARGUMENT);
    }
    assert.equal(await unitsLeft(catalog, "ciabatta"), 10);
  });

  it("is for services only", async () => {
    for (const [token, code] of [
      [tokens.ada, status.PERMISSION_DENIED],
      [tokens.baker, status.PERMISSION_DENIED],
      ["", status.UNAUTHENTICATED],
    ] as const) {
      using stranger = dial(catalog, token);
      const reservationId = "8d2f6c1e-0b7a-4a55-9a3c-5e0c3d6f7a05";
      await fails(reserve(stranger, { reservationId, units }), code);
      await fails(confirm(stranger, reservationId), code);
    }
    using service = dial(orders, tokens.orders);
    await fails(order(service, "rye"), status.PERMISSION_DENIED); // A service isn't a customer.
  });
});

describe("a catalog that is killed", () => {
  it("during 200 orders: each is placed with its units, or refused with none", async () => {
    let shop = await startCatalog();
    await using _ = { [Symbol.asyncDispose]: () => shop.program.stop() }; // whichever it is then
    await using counter = await startOrders(shop, { CATALOG_MS: "2000" });
    const restock = async () => {
      using baker = dial(shop, tokens.baker);
      await unaryCall((done) => {
        const call = baker.catalog.restockProducts(new Metadata(), soon(), done);
        call.write({ content: { $case: "crate", value: { productId: "brioche", units: 500 } } });
        call.write({ content: { $case: "deliveryNote", value: { crates: 1 } } });
        call.end();
      });
    };
    await restock();
    using ada = dial(counter);
    let [begun, placed, refused] = [0, 0, 0];
    const place = async () => {
      try {
        await order(ada, "brioche");
        placed++;
        return true;
      } catch (error) {
        const { code, details } = error as { code: status; details: string };
        assert.deepEqual([code, details], [status.UNAVAILABLE, NOTHING_ORDERED]);
        refused++;
        return false;
      }
    };
    let reopened = () => {};
    const open = new Promise<void>((resolve) => {
      reopened = resolve;
    });
    const customers = Array.from({ length: 8 }, async () => {
      while (begun < 200) {
        begun++;
        if (!(await place())) await open;
      }
    });

    const done = Promise.all(customers);
    done.catch(() => {}); // Awaited below, if nothing fails before.
    await eventually(() => placed >= 50);
    shop.program.kill("SIGKILL");
    await shop.program.stop();
    await eventually(() => refused === 8); // Each customer has been refused, and waits.
    const before = placed;
    const [, port = ""] = shop.address.split(":");
    shop = await startCatalog({ PORT: port });
    await restock();
    await until(place); // until the orders' server has dialled again
    reopened();
    await done;
    const now = placed - before;
    assert.ok(now > 50 && begun >= 200, `${now} orders after the restart`);
    await untilUnitsLeft(shop, "brioche", 506 - now);
  });
});

/** What a catalog in this process does with the calls of the orders' server. */
interface Gate {
  readonly reserve: handleUnaryCall<ReserveProductsRequest, ReserveProductsResponse>;
  readonly confirm: handleUnaryCall<ConfirmReservationRequest, ConfirmReservationResponse>;
}

/** Starts a catalog in this process, with the certificate of the others. */
async function openGate({ reserve, confirm }: Gate) {
  const file = (name: string) => readFileSync(join(scratch, "certs", name));
  const pair = { cert_chain: file("server.pem"), private_key: file("server-key.pem") };
  const server = new Server();
  const handlers = { reserveProducts: reserve, confirmReservation: confirm };
  server.addService(CatalogServiceService, handlers);
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = ServerCredentials.createSsl(null, [pair]);
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { address: `127.0.0.1:${port}`, [Symbol.dispose]: () => server.forceShutdown() };
}

describe("an orders' server", () => {
  it("that is killed between reserve and confirm loses no units", async () => {
    using service = dial(catalog, tokens.orders);
    let reached = () => {};
    const confirming = new Promise<void>((resolve) => {
      reached = resolve;
    });
    using gate = await openGate({
      reserve: ({ request }, callback) => {
        reserve(service, request).then((response) => callback(null, response), callback);
      },
      confirm: () => reached(), // and never answers
    });
    await using counter = await startOrders(gate);
    using ada = dial(counter);
    const lost = fails(order(ada, "cheesecake", 3), status.UNAVAILABLE);
    await Promise.race([confirming, lost]);
    assert.equal(await unitsLeft(catalog, "cheesecake"), 4);
    counter.program.kill("SIGKILL");
    await lost;
    await untilUnitsLeft(catalog, "cheesecake", 7);
  });

  it("tells a customer what concerns her, and nothing else of the inner call", async () => {
    const answers: { reserve: status; confirm: status } = { reserve: 0, confirm: 0 };
    let seen = new Metadata();
    const answer = <Request, Response>(which: keyof typeof answers, response: Response) => {
      return ({ metadata }: ServerUnaryCall<Request, Response>, done: sendUnaryData<Response>) => {
        seen = metadata;
        const trailers = new Metadata();
        trailers.set("x-inner", "secret");
        const code = answers[which];
        if (code === status.OK) done(null, response, trailers);
        else done({ code, details: `inner ${status[code]}`, metadata: trailers });
      };
    };
    using gate = await openGate({
      reserve: answer("reserve", { totalCents: 1 }),
      confirm: answer("confirm", {}),
    });
    await using counter = await startOrders(gate);
    using ada = dial(counter);
    const outcome = async (codes: Partial<typeof answers>) => {
      Object.assign(answers, { reserve: status.OK, confirm: status.OK }, codes);
      try {
        await order(ada, "rye");
        return "OK";
      } catch (thrown) {
        const { code, details, metadata } = thrown as {
          code: status;
          details: string;
          metadata: Metadata;
        };
        assert.deepEqual(metadata.get("x-inner"), []);
        return `${status[code]} ${details}`;
      }
    };
    assert.equal(await outcome({}), "OK");
    assert.deepEqual(seen.get("authorization"), [`Bearer ${tokens.orders}`]);
    const passedOn = [status.FAILED_PRECONDITION, status.NOT_FOUND];
    const notNow = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.RESOURCE_EXHAUSTED];
    for (let code = status.CANCELLED; code <= status.UNAUTHENTICATED; code++) {
      const inner = `${status[code]} inner ${status[code]}`;
      const unavailable = `UNAVAILABLE ${NOTHING_ORDERED}`;
      const others = notNow.includes(code) ? unavailable : "INTERNAL internal error";
      const expected: string = passedOn.includes(code) ? inner : others;
      assert.equal(await outcome({ reserve: code }), expected);
      // A reservation that is gone is not the customer's fault.
      const gone: boolean = code === status.NOT_FOUND;
      assert.equal(await outcome({ confirm: code }), gone ? unavailable : expected);
    }
    const output = counter.program.output();
    assert.match(output, /the catalog failed: 8 RESOURCE_EXHAUSTED: inner RESOURCE_EXHAUSTED/);
    assert.match(output, /CreateOrder id=\S+ failed: Error: 16 UNAUTHENTICATED: inner UNAUTH/);
  });

  it("is NOT_SERVING until it has reached the catalog, and dials about every 2 s", async () => {
    const attempts: number[] = [];
    const nobody = createServer((socket) => {
      attempts.push(performance.now());
      socket.destroy();
    });
    using listening = await listen(nobody);
    const { port } = listening;
    await using early = await startOrders({ address: `127.0.0.1:${port}` });
    assert.equal(await servingStatus(early, "bakery.v1.OrderService"), "NOT_SERVING");
    assert.equal(await servingStatus(early, ""), "SERVING");
    using ada = dial(early);
    await fails(order(ada, "rye"), status.UNAVAILABLE, NOTHING_ORDERED);
    await eventually(() => attempts.length >= 6);
    const waitedMs = (attempts[5] ?? 0) - (attempts[4] ?? 0);
    assert.ok(waitedMs < 4000, `${waitedMs} ms`); // By itself, grpc-js would wait about 6.5 s.

    await new Promise((resolve) => nobody.close(resolve));
    await using late = await startCatalog({ PORT: `${port}` });
    await until(
      async () => (await servingStatus(early, "bakery.v1.OrderService")) !== "NOT_SERVING",
    );
    assert.equal((await order(ada, "rye"))?.id, "order-1");
    assert.equal(await unitsLeft(late, "rye"), 7);
    // Without the catalog it still knows its orders.
    late.program.kill("SIGKILL");
    await late.program.stop();
    await fails(order(ada, "rye"), status.UNAVAILABLE, NOTHING_ORDERED);
    assert.equal(await servingStatus(early, "bakery.v1.OrderService"), "SERVING");
    const call = ada.orders.trackOrder(soon());
    call.write({ content: { $case: "start", value: { orderId: "order-1" } } });
    let last = "";
    for await (const { content } of call) if (content?.$case === "status") last = content.$case;
    assert.equal(last, "status");
  });

  it("without a token is to blame itself", async () => {
    await using anonymous = await startOrders(catalog, { CATALOG_TOKEN: "" });
    using ada = dial(anonymous);
    await fails(order(ada, "rye"), status.INTERNAL, "internal error");
    assert.match(anonymous.program.output(), /UNAUTHENTICATED: token missing/);
  });

  it("that can't listen ends, whatever it has dialled", async () => {
    const [, PORT = ""] = orders.address.split(":");
    const env = { ...settings(), PORT, CATALOG_ADDRESS: catalog.address };
    for (const address of [catalog.address, "127.0.0.1:1"]) {
      const second = startProgram(folder, "orders-server.ts", [], {
        ...env,
        CATALOG_ADDRESS: address,
      });
      await using _ = { [Symbol.asyncDispose]: () => second.stop() };
      assert.ok(await second.ends(30_000));
      assert.equal(second.exitCode, 1, second.output());
      assert.match(second.output(), /the port is in use/);
    }
  });

  it("shows the catalog a certificate if it must", async () => {
    await using strict = await startCatalog({ MTLS: "1" });
    await using counter = await startOrders(strict, { MTLS: "1" });
    await eventually(() => counter.program.output().includes("reached the catalog"));
  });
});

describe("what a server shows", () => {
  const pageOf = async ({ program }: RunningServer) => {
    const [, url = ""] = /^metrics on (http:\S+)$/m.exec(program.output()) ?? [];
    return await (await fetch(url)).text();
  };
  const count = (page: string, name: string, labels: string) =>
    Number(new RegExp(`^${name}\\{.*${labels}.*\\} (\\d+)`, "m").exec(page)?.[1] ?? "-1");

  it("is a call between the servers on both pages", async () => {
    using ada = dial(orders);
    await order(ada, "rye");
    const [here, there] = [await pageOf(orders), await pageOf(catalog)];
    const reserved = 'grpc_method="ReserveProducts",grpc_code="OK"';
    assert.ok(count(here, "grpc_client_handled_total", reserved) > 0);
    assert.ok(count(there, "grpc_server_handled_total", reserved) > 0);
    assert.ok(count(here, "grpc_server_handled_total", 'CreateOrder",grpc_code="OK"') > 0);
    assert.doesNotMatch(there, /OrderService/);
    assert.doesNotMatch(here, /grpc_server_.*CatalogService/);
  });

  it("is one trace, in two services", async () => {
    const spans: Span[] = [];
    const collecting = collector((received) => spans.push(...received));
    using listening = await listen(collecting);
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${listening.port}`,
      OTEL_BSP_SCHEDULE_DELAY: "20",
    };
    await using shop = await startCatalog(env);
    await using counter = await startOrders(shop, env);
    using ada = dial(counter);
    await order(ada, "rye");
    await eventually(() => spans.length >= 5);
    const line = (span: Span | undefined): string => {
      if (span === undefined) return "";
      const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
      return `${line(parent)} > ${span.service} ${span.name.split("/").at(-1)} ${span.kind}`;
    };
    const root = " > orders-server CreateOrder server";
    assert.deepEqual(spans.map(line).sort(), [
      root,
      `${root} > orders-server ConfirmReservation client`,
      `${root} > orders-server ConfirmReservation client > catalog-server ConfirmReservation server`,
      `${root} > orders-server ReserveProducts client`,
      `${root} > orders-server ReserveProducts client > catalog-server ReserveProducts server`,
    ]);
    assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1);
  });

  it("is its own service, by health and reflection, too", async () => {
    await fails(servingStatus(catalog, "bakery.v1.OrderService"), status.NOT_FOUND);
    const buf = createRequire(import.meta.url).resolve("@bufbuild/buf/bin/buf");
    for (const [{ address }, own, other] of [
      [catalog, "CatalogService", "OrderService"],
      [orders, "OrderService", "CatalogService"],
    ] as const) {
      const args = ["curl", "--cacert", join(scratch, "certs", "ca.pem"), "--protocol", "grpc"];
      const { stdout } = spawnSync(
        process.execPath,
        [buf, ...args, "--list-services", `https://${address}`],
        { encoding: "utf8" },
      );
      assert.match(stdout, new RegExp(`^bakery\\.v1\\.${own}$`, "m"));
      assert.doesNotMatch(stdout, new RegExp(other));
    }
  });
});

describe("the starter", () => {
  async function freePort(): Promise<number> {
    const probe = createServer();
    const { port } = await listen(probe);
    await new Promise((resolve) => probe.close(resolve));
    return port;
  }

  const isOpen = (port: number) =>
    new Promise<boolean>((resolve) => {
      const socket = connectTcp(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });

  async function start(program: (ports: NodeJS.ProcessEnv) => Program) {
    const ports = [await freePort(), await freePort()];
    const started = program({
      ...settings(),
      PORT: `${ports[0]}`,
      ORDERS_PORT: `${ports[1]}`,
      ORDERS_METRICS_PORT: "0",
    });
    return { started, ports, [Symbol.asyncDispose]: () => started.stop() };
  }

  const starter = (env: NodeJS.ProcessEnv) => startProgram(folder, "server.ts", [], env);

  for (const how of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
    it(`ends both servers on ${how}`, { skip: noSignals }, async () => {
      await using all = await start(starter);
      const { started, ports } = all;
      await eventually(() => started.output().includes("reached the catalog"), 60_000);
      assert.match(
        started.output(),
        new RegExp(`^catalog  listening on 127.0.0.1:${ports[0]}$`, "m"),
      );
      assert.match(
        started.output(),
        new RegExp(`^orders   listening on 127.0.0.1:${ports[1]}$`, "m"),
      );
      if (how === "SIGINT")
        started.interrupt(); // to all three, as a terminal does
      else started.kill(how);
      assert.ok(await started.ends(20_000));
      if (how !== "SIGKILL") assert.equal(started.exitCode, 0, started.output());
      for (const port of ports) await until(async () => !(await isOpen(port)));
      assert.doesNotMatch(started.output(), /Error/);
    });
  }

  it("ends the other server if one can't start", async () => {
    await using all = await start((env) => {
      const [, ORDERS_PORT] = orders.address.split(":");
      return starter({ ...env, ORDERS_PORT });
    });
    const { started, ports } = all;
    assert.ok(await started.ends(60_000));
    assert.equal(started.exitCode, 1);
    assert.match(started.output(), /^orders {3}cannot listen on .*: the port is in use/m);
    assert.equal(await isOpen(ports[0] ?? 0), false);
  });
});
