// Step 14 over the wire: a server that fails is called less, until it works again.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it, mock } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  connectivityState,
  type handleUnaryCall,
  type Interceptor,
  Metadata,
  Server,
  type ServiceError,
  type StatusObject,
  status,
} from "@grpc/grpc-js";
import { register } from "prom-client";
import { fetchSamples } from "../shared/metrics/samples.ts";
import {
  eventually,
  inThisProcess,
  listenHere,
  type RunningServer,
  runClient,
  startProgram,
  startServer,
} from "../shared/testing/servers.ts";
import { collector, type Span } from "../shared/traces/spans.ts";
import { breakerTo } from "./bakery-breaker.ts";
import { showEjections } from "./bakery-ejections.ts";
import { madeCalls } from "./bakery-metrics.ts";
import { bakeryRetries } from "./bakery-retries.ts";
import { balancing } from "./client/balancing.ts";
import { channelSecurity } from "./client/channel-credentials.ts";
import { type BreakerState, CircuitBreaker } from "./client/circuit-breaker.ts";
import { type ConnectOptions, connect } from "./client/connection.ts";
import { ejections } from "./client/ejections.ts";
import { breakerInterceptor } from "./client/interceptors/breaker.ts";
import { withOutlierDetection } from "./client/outlier-detection.ts";
import { registerReplicas } from "./client/replicas.ts";
import { unaryCall } from "./client/unary-call.ts";
import {
  CatalogServiceClient,
  CatalogServiceService,
  type GetProductResponse,
} from "./gen/bakery/v1/catalog.ts";
import { type CreateOrderResponse, OrderServiceClient } from "./gen/bakery/v1/orders.ts";

const folder = import.meta.dirname;
/** Under the control, whose programs are those of the step before, the tests needn't be patient. */
const PATIENCE_MS = process.env.COURSE_CONTROL === undefined ? 60_000 : 3000;
/** Longer than a test takes: such a breaker stays open. */
const FOREVER_MS = 3_600_000;
/** A call that was waiting for the database, at the catalog. */
const ENDED = /ReserveProducts (CANCELLED|DEADLINE_EXCEEDED)/;
const soon = () => ({ deadline: Date.now() + PATIENCE_MS });

let scratch: string;
let list: string;
const tokens = { ada: "", orders: "" };

before(() => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "course-breaker-")));
  list = join(scratch, "replicas.json");
  tokens.ada = makeToken("ada", "customer");
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

async function startOrders(catalog: RunningServer, env: NodeJS.ProcessEnv = {}) {
  const own = { CATALOG_ADDRESS: catalog.address, CATALOG_TOKEN: tokens.orders };
  const orders = await start("orders-server.ts", { ...own, CATALOG_MS: "20000", ...env });
  await eventually(() => orders.program.output().includes("reached the catalog"), PATIENCE_MS);
  return orders;
}

/** Connects as Ada does, to the orders' server. */
function dialOrders({ address }: RunningServer) {
  const files = { ca: join(scratch, "certs", "ca.pem"), cert: "", key: "" };
  const security = channelSecurity({ ...files, plaintext: false, token: tokens.ada }, address);
  const connection = connect(address, { deadlineMs: 0, verbose: false, security });
  const orders = connection.stub(OrderServiceClient);
  return { orders, [Symbol.dispose]: () => connection.close() };
}

/** Places an order. `pushback` is what came with its status. */
async function order(
  { orders }: ReturnType<typeof dialOrders>,
  { productId = "rye", quantity = 1, options = soon() } = {},
) {
  let trailers: StatusObject | undefined;
  const startedAt = performance.now();
  const placed = await unaryCall<CreateOrderResponse>((done) => {
    const request = { lines: [{ productId, quantity }], idempotencyKey: "" };
    const call = orders.createOrder(request, new Metadata(), options, done);
    call.on("status", (ended: StatusObject) => {
      trailers = ended;
    });
  }).catch((error: ServiceError) => ({ error }));
  const error = "error" in placed ? placed.error : undefined;
  const pushback = trailers?.metadata.get("grpc-retry-pushback-ms")[0];
  const ms = performance.now() - startedAt;
  return { code: error?.code ?? status.OK, details: error?.details, pushback, ms };
}

/** Returns the states that a server's breaker has entered, from its log. */
function circuit({ program }: RunningServer): string {
  const lines = program.lines().filter((line) => line.startsWith("circuit to "));
  return lines.map((line) => line.replace(/.*: /, "")).join(" ");
}

function count({ program }: RunningServer, pattern: RegExp): number {
  return program.lines().filter((line) => pattern.test(line)).length;
}

/** Reads a metric from a server's page: its labels' values and its value, where that isn't 0. */
async function metric({ program }: RunningServer, name: string): Promise<string[]> {
  const url = /^metrics on (\S+)$/m.exec(program.output())?.[1] ?? "";
  const samples = (await fetchSamples(url)).filter((sample) => sample.name === name);
  assert.notEqual(samples.length, 0, `no ${name}`);
  return samples.flatMap(({ labels, value }) =>
    value === 0 ? [] : [`${labels.state ?? labels.grpc_method} ${value}`],
  );
}

/** Starts a collector, which adds the spans that it receives to a list. */
async function collect(spans: Span[]) {
  const server = collector((received) => spans.push(...received));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  const port = typeof bound === "object" ? bound?.port : 0;
  return { url: `http://127.0.0.1:${port}`, [Symbol.dispose]: close };
}

describe("orders whose catalog hangs", () => {
  it("fail at once after five have failed slowly, and don't reach it", async (test) => {
    await using catalog = await startCatalog({ SLOW_MS: "60000" });
    const patience = { CATALOG_MS: "1000", BREAKER_MS: String(FOREVER_MS) };
    await using orders = await startOrders(catalog, patience);
    using ada = dialOrders(orders);
    const all = () => Array.from({ length: 100 }, () => order(ada));
    const slow: Awaited<ReturnType<typeof order>>[] = [];
    for (let n = 0; n < 5; n++) slow.push(await order(ada));
    await eventually(() => circuit(orders) === "open", PATIENCE_MS);
    const [again, fast] = [await order(ada), await Promise.all(all())];
    for (const { code, details, pushback } of [...slow, again, ...fast]) {
      assert.equal(code, status.UNAVAILABLE);
      assert.equal(details, "the catalog is unavailable; nothing was ordered");
      assert.equal(pushback, "-1");
    }
    for (const { ms } of slow) assert.ok(ms > 900, `${ms} ms`);
    await eventually(() => count(catalog, ENDED) === 5, PATIENCE_MS);
    assert.equal(count(catalog, /ReserveProducts/), 10); // "waiting", and the end
    assert.equal(count(orders, /circuit to \S+ is open$/), 101);
    assert.deepEqual(await metric(orders, "bakery_breaker_state"), ["open 1"]);
    assert.deepEqual(await metric(orders, "bakery_breaker_transitions_total"), ["open 1"]);
    test.diagnostic(`${Math.round(again.ms)} ms instead of ${Math.round(slow[4]?.ms ?? 0)} ms`);
  });

  it("without a breaker all wait for it", async () => {
    await using catalog = await startCatalog({ SLOW_MS: "60000" });
    await using orders = await startOrders(catalog, { CATALOG_MS: "300", BREAKER_MS: "0" });
    using ada = dialOrders(orders);
    for (let n = 0; n < 8; n++) assert.equal((await order(ada)).code, status.UNAVAILABLE);
    assert.equal(count(catalog, /ReserveProducts: waiting/), 8);
    assert.equal(circuit(orders), "");
  });

  it("that customers give up or have no time for don't open the circuit", async () => {
    await using catalog = await startCatalog({ SLOW_MS: "60000" });
    await using orders = await startOrders(catalog);
    using ada = dialOrders(orders);
    const deadline = () => ({ deadline: Date.now() + 1500 });
    const hurried = Array.from({ length: 10 }, () => order(ada, { options: deadline() }));
    for (const { code } of await Promise.all(hurried)) {
      assert.ok([status.DEADLINE_EXCEEDED, status.UNAVAILABLE].includes(code), status[code]);
    }
    await eventually(() => count(catalog, ENDED) > 4, PATIENCE_MS);
    const waiting = /ReserveProducts: waiting/;
    const [before, begun] = [count(catalog, ENDED), count(catalog, waiting)];
    const calls = Array.from({ length: 10 }, () => {
      const request = { lines: [{ productId: "rye", quantity: 1 }], idempotencyKey: "" };
      return ada.orders.createOrder(request, new Metadata(), soon(), () => {});
    });
    await eventually(() => count(catalog, waiting) >= begun + 10, PATIENCE_MS);
    for (const call of calls) call.cancel();
    await eventually(() => count(catalog, ENDED) >= before + 10, PATIENCE_MS);
    assert.equal(circuit(orders), "");
    assert.deepEqual(await metric(orders, "bakery_breaker_state"), ["closed 1"]);
  });

  it("leave a trace of two spans if they are refused", async () => {
    const spans: Span[] = [];
    using collecting = await collect(spans);
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collecting.url, OTEL_BSP_SCHEDULE_DELAY: "20" };
    await using catalog = await startCatalog({ ...env, SLOW_MS: "60000" });
    const patience = { CATALOG_MS: "300", BREAKER_MS: String(FOREVER_MS) };
    await using orders = await startOrders(catalog, { ...env, ...patience });
    using ada = dialOrders(orders);
    for (let n = 0; n < 5; n++) await order(ada);
    await eventually(() => circuit(orders) === "open", PATIENCE_MS);
    // Each of the five: CreateOrder, ReserveProducts at both sides, and its work in the database.
    await eventually(() => spans.length === 20, PATIENCE_MS);
    await order(ada);
    await eventually(() => spans.length === 22, PATIENCE_MS);
    const [inner, outer] = spans.slice(20).sort((one, other) => one.kind.localeCompare(other.kind));
    assert.equal(inner?.parentSpanId, outer?.spanId);
    const line = (span: Span | undefined) => {
      const code = span?.attributes["rpc.response.status_code"];
      return [span?.service, span?.name.split("/").at(-1), span?.kind, code].join(" ");
    };
    assert.equal(line(outer), "orders-server CreateOrder server UNAVAILABLE");
    assert.equal(line(inner), "orders-server ReserveProducts client UNAVAILABLE");
  });
});

describe("orders whose catalog stops and comes back", () => {
  it("are probed, refused again, and accepted again", async () => {
    await using first = await startCatalog();
    await using orders = await startOrders(first, { BREAKER_MS: "1000" });
    using ada = dialOrders(orders);
    assert.equal((await order(ada)).code, status.OK);
    await first.program.stop();
    for (let n = 0; n < 6; n++) assert.equal((await order(ada)).code, status.UNAVAILABLE);
    await eventually(() => circuit(orders).startsWith("open half-open"), PATIENCE_MS);
    assert.equal((await order(ada)).code, status.UNAVAILABLE);
    await eventually(() => circuit(orders).startsWith("open half-open open"), PATIENCE_MS);
    await using _second = await startCatalog({ PORT: first.address.split(":")[1] });
    let code = status.UNAVAILABLE;
    for (const until = Date.now() + PATIENCE_MS; code !== status.OK && Date.now() < until; ) {
      code = (await order(ada)).code;
      await wait(20);
    }
    assert.match(circuit(orders), /^open half-open open half-open (open half-open )*closed$/);
    assert.equal((await order(ada)).code, status.OK);
    assert.deepEqual(await metric(orders, "bakery_breaker_state"), ["closed 1"]);
    // The calls that failed while the circuit was closed were repeated, and that shows, too.
    const retries = await metric(orders, "grpc_client_retries_total");
    assert.match(retries.join(), /^ReserveProducts \d+$/);
  });

  it("aren't refused because others asked for what there isn't", async () => {
    await using catalog = await startCatalog();
    await using orders = await startOrders(catalog);
    using ada = dialOrders(orders);
    for (let n = 0; n < 10; n++) {
      assert.equal((await order(ada, { productId: "cake" })).code, status.NOT_FOUND);
      assert.equal((await order(ada, { quantity: 100 })).code, status.FAILED_PRECONDITION);
    }
    assert.equal((await order(ada)).code, status.OK);
    assert.equal(circuit(orders), "");
  });
});

describe("three servers, one of which fails", () => {
  it("are polled without it after a while, and with it again later", async (test) => {
    await using leader = await startCatalog();
    const follow = { FOLLOW: leader.address };
    const failing = { ...follow, FAIL_PERCENT: "100" };
    const [second, third] = await Promise.all([startCatalog(failing), startCatalog(follow)]);
    await using _second = second;
    await using _third = third;
    const catalog = [leader, second, third].map(({ address }) => address);
    const REPLICAS = join(scratch, "polled.json");
    writeFileSync(REPLICAS, JSON.stringify({ catalog }));
    const env = { REPLICAS, BAKERY_CA: join(scratch, "certs", "ca.pem") };
    const poll = startProgram(folder, "client.ts", ["poll", "rye"], env);
    test.after(() => poll.stop());
    const says = (line: string) => eventually(() => poll.lines().includes(line), PATIENCE_MS * 2);
    await says(`ejected ${second.address}: most of its calls fail`);
    const before = count(second, /GetProduct/);
    await wait(1000); // It stays ejected for at least 5 s. One call may have been on its way.
    const during = count(second, /GetProduct/) - before;
    assert.ok(during <= 1, `${during} calls while it was ejected`);
    await says(`took back ${second.address}`);
    await eventually(() => count(second, /GetProduct/) > before + 1, PATIENCE_MS);
    test.diagnostic(`${before} of its calls failed`);
  });

  it("are all called if nothing is to be ejected", async () => {
    await using leader = await startCatalog();
    const env = { BAKERY_CA: join(scratch, "certs", "ca.pem"), BAKERY_ADDRESS: leader.address };
    const { exitCode, stderr } = await runClient(
      folder,
      ["poll", "rye", "--count", "1", "--no-ejection"],
      env,
    );
    assert.equal(exitCode, 0, stderr);
  });
});

describe("a crowd", () => {
  it("says how its orders ended", async () => {
    await using catalog = await startCatalog();
    await using orders = await startOrders(catalog);
    const env = {
      BAKERY_CA: join(scratch, "certs", "ca.pem"),
      BAKERY_TOKEN: tokens.ada,
      ORDERS_ADDRESS: orders.address,
    };
    const crowd = (...args: string[]) =>
      runClient(folder, ["crowd", ...args, "--deadline-ms", "30000"], env);
    const placed = await crowd("rye=1", "--count", "5");
    assert.match(placed.stdout, /^5 x OK\nhalf of them took up to \d+ ms\n$/, placed.stderr);
    assert.equal(placed.exitCode, 0);
    const failed = await crowd("rye=100", "--count", "5");
    assert.match(failed.stdout, /^5 x FAILED_PRECONDITION: /);
    assert.equal(failed.exitCode, 1);
  });
});

/** A server in this process that answers all calls with the same status, until it changes. */
async function serving(code: status = status.OK) {
  const server = new Server();
  const answers = { code, calls: 0 };
  const product = { id: "rye", name: "Rye", description: "", priceCents: 1, unitsInStock: 1 };
  const fail = () => ({ code: answers.code, details: "" });
  const getProduct: handleUnaryCall<unknown, GetProductResponse> = (_call, callback) => {
    answers.calls++;
    if (answers.code === status.OK) callback(null, { product });
    else callback(fail());
  };
  const { watchProducts } = CatalogServiceService;
  server.addService(
    { getProduct: CatalogServiceService.getProduct, watchProducts },
    {
      getProduct,
      watchProducts(call: {
        write(level: object): void;
        emit(event: string, error: object): void;
      }) {
        answers.calls++;
        if (answers.code !== status.OK) call.emit("error", fail());
        else call.write({ productId: "rye", unitsInStock: 1 });
      },
    },
  );
  const address = await listenHere(server);
  return Object.assign(answers, { address, [Symbol.dispose]: () => server.forceShutdown() });
}

function dialHere(target: string, options: Partial<ConnectOptions> = {}) {
  const files = { ca: "", cert: "", key: "", token: "" };
  const security = channelSecurity({ ...files, plaintext: true }, target);
  const connection = connect(target, { deadlineMs: 0, verbose: false, security, ...options });
  const catalog = connection.stub(CatalogServiceClient);
  return { catalog, [Symbol.dispose]: () => connection.close() };
}

type Dialled = ReturnType<typeof dialHere>;

/** Asks for a product. Returns how the call ended. */
async function get({ catalog }: Dialled, options = soon()): Promise<Partial<ServiceError>> {
  const answer = await unaryCall<GetProductResponse>((done) =>
    catalog.getProduct({ id: "rye" }, new Metadata(), options, done),
  ).catch((error: ServiceError) => error);
  return "code" in answer ? answer : { code: status.OK };
}

describe("the breaker", inThisProcess, () => {
  function breaking() {
    mock.timers.enable({ apis: ["setTimeout"] });
    const states: BreakerState[] = [];
    const breaker = new CircuitBreaker(1000, (state) => states.push(state));
    const fail = (times: number) => {
      for (let n = 0; n < times; n++) breaker.admit()?.("failure");
    };
    return { breaker, states, fail };
  }

  afterEach(() => mock.timers.reset());

  it("opens when five of the last ten calls have failed", () => {
    const { breaker, states, fail } = breaking();
    for (let n = 0; n < 20; n++) {
      fail(4);
      for (let good = 0; good < 6; good++) breaker.admit()?.("success");
      for (let other = 0; other < 6; other++) breaker.admit()?.("neutral");
    }
    assert.deepEqual(states, []);
    fail(5);
    assert.deepEqual(states, ["open"]);
    assert.equal(breaker.admit(), undefined);
  });

  it("lets one probe pass when its time is over, and closes if that succeeds", () => {
    const { breaker, states, fail } = breaking();
    fail(5);
    mock.timers.tick(999);
    assert.equal(breaker.admit(), undefined);
    mock.timers.tick(1);
    const probe = breaker.admit();
    assert.ok(probe);
    assert.equal(breaker.admit(), undefined);
    probe("failure");
    assert.equal(breaker.admit(), undefined);
    mock.timers.tick(1000);
    breaker.admit()?.("success");
    assert.deepEqual(states, ["open", "half-open", "open", "half-open", "closed"]);
    fail(4);
    assert.deepEqual(states.length, 5); // The failures of before are forgotten.
  });

  it("takes another probe if one is cancelled, or has no outcome for as long", () => {
    const { breaker, states, fail } = breaking();
    fail(5);
    mock.timers.tick(1000);
    breaker.admit()?.("neutral");
    const probe = breaker.admit();
    assert.ok(probe);
    mock.timers.tick(999);
    assert.equal(breaker.admit(), undefined);
    mock.timers.tick(1);
    assert.ok(breaker.admit(), "no other probe");
    probe("success"); // Late, but still true.
    assert.deepEqual(states, ["open", "half-open", "closed"]);
  });

  it("hears of each call once, and of none from before the last change", () => {
    const { breaker, states, fail } = breaking();
    const [early, once] = [breaker.admit(), breaker.admit()];
    once?.("failure");
    once?.("failure");
    fail(3);
    assert.deepEqual(states, []);
    fail(1);
    early?.("success");
    mock.timers.tick(1000);
    early?.("failure");
    const probe = breaker.admit();
    probe?.("success");
    probe?.("failure");
    early?.("failure");
    assert.deepEqual(states, ["open", "half-open", "closed"]);
  });
});

describe("the breaker's interceptor", inThisProcess, () => {
  function breaking(target: string, { openMs = FOREVER_MS, patienceMs = 0 } = {}) {
    const states: BreakerState[] = [];
    const breaker = new CircuitBreaker(openMs, (state) => states.push(state));
    return { states, inner: [breakerInterceptor(breaker, { target, patienceMs })] };
  }

  it("counts the statuses of a server that is gone, hangs or has too much to do", async () => {
    const counts: string[] = [];
    for (let code = status.CANCELLED; code <= status.UNAUTHENTICATED; code++) {
      using server = await serving(code);
      const { states, inner } = breaking(server.address);
      using client = dialHere(server.address, { inner });
      for (let n = 0; n < 6; n++) await get(client);
      if (states.length > 0) counts.push(status[code] ?? "");
      assert.equal(server.calls, states.length > 0 ? 5 : 6);
    }
    assert.deepEqual(counts, ["DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "UNAVAILABLE"]);
  });

  it("counts a call once, however often it was repeated", async () => {
    using server = await serving(status.UNAVAILABLE);
    const { methodConfig } = bakeryRetries;
    const { states, inner } = breaking(server.address);
    using client = dialHere(server.address, { inner, serviceConfig: { methodConfig } });
    for (let n = 0; n < 5; n++) {
      assert.deepEqual(states, []);
      await get(client);
    }
    assert.deepEqual(states, ["open"]);
    assert.equal(server.calls, 20);
  });

  it("takes the first message of a stream as a success, and another probe for a cancelled one", async () => {
    using server = await serving(status.UNAVAILABLE);
    const { states, inner } = breaking(server.address, { openMs: 200 });
    using client = dialHere(server.address, { inner });
    const watch = () => {
      const call = client.catalog.watchProducts({ productIds: [] });
      const ended = new Promise((resolve) => call.on("error", resolve));
      return { call, ended };
    };
    for (let n = 0; n < 5; n++) await watch().ended;
    await eventually(() => states.at(-1) === "half-open", PATIENCE_MS);
    server.code = status.CANCELLED;
    assert.equal((await get(client)).code, status.CANCELLED);
    assert.deepEqual(states, ["open", "half-open"]);
    server.code = status.OK;
    const { call } = watch();
    await once(call, "data");
    assert.deepEqual(states, ["open", "half-open", "closed"]);
    call.cancel();
  });

  it("refuses all kinds of calls, in no time, and without the channel", async (test) => {
    const { states, inner } = breaking("127.0.0.1:1");
    using broken = dialHere("127.0.0.1:1", { inner });
    for (let n = 0; n < 5; n++) await get(broken);
    assert.deepEqual(states, ["open"]);

    using server = await serving();
    using client = dialHere(server.address, { inner });
    const refused = (error: Partial<ServiceError>) => {
      assert.equal(error.code, status.UNAVAILABLE);
      assert.equal(error.details, "the circuit to 127.0.0.1:1 is open");
      assert.deepEqual(error.metadata?.get("grpc-retry-pushback-ms"), ["-1"]);
    };
    const took: number[] = [];
    for (let n = 0; n < 1000; n++) {
      const startedAt = performance.now();
      refused(await get(client));
      took.push(performance.now() - startedAt);
    }
    const median = took.sort((one, other) => one - other)[500] ?? 0;
    test.diagnostic(`median ${median.toFixed(3)} ms`);
    assert.ok(median < 10, `${median} ms`);

    const { catalog } = client;
    const upload = (act: (call: ReturnType<typeof catalog.restockProducts>) => void) =>
      unaryCall((done) => act(catalog.restockProducts(done))).catch(refused);
    await upload((call) => call.end());
    await upload((call) =>
      call.write({ content: { $case: "deliveryNote", value: { crates: 1 } } }),
    );
    await upload((call) => call.cancel());
    const levels = catalog.watchProducts({ productIds: [] });
    const [failed] = await once(levels, "error");
    refused(failed);
    assert.equal(catalog.getChannel().getConnectivityState(false), connectivityState.IDLE);
    assert.equal(server.calls, 0);
  });

  it("keeps nothing of what it has refused", async (test) => {
    const { inner } = breaking("127.0.0.1:1");
    using client = dialHere("127.0.0.1:1", { inner });
    for (let n = 0; n < 6; n++) await get(client);
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    const grown = async (calls: number) => {
      collect();
      const before = process.memoryUsage().heapUsed;
      for (let n = 0; n < calls; n++) await get(client);
      collect();
      return process.memoryUsage().heapUsed - before;
    };
    await grown(1000);
    const bytes = await grown(10_000);
    test.diagnostic(`10,000 refusals: ${bytes} bytes`);
    assert.ok(bytes < 2_000_000, `${bytes} bytes`);
  });

  it("gives a target a breaker and metrics, or neither", async () => {
    assert.deepEqual(breakerTo("nowhere:1", { openMs: 0, patienceMs: 0 }), []);
    const inner: Interceptor[] = breakerTo("nowhere:1", { openMs: 1000, patienceMs: 0 });
    assert.equal(inner.length, 1);
    const page = await register.metrics();
    assert.match(page, /^bakery_breaker_state\{target="nowhere:1",state="closed"\} 1$/m);
    assert.match(page, /^bakery_breaker_state\{target="nowhere:1",state="open"\} 0$/m);
  });
});

describe("outlier detection", inThisProcess, () => {
  async function three(codes: readonly status[]) {
    const servers = await Promise.all(codes.map(serving));
    writeFileSync(list, JSON.stringify({ catalog: servers.map(({ address }) => address) }));
    return { servers, [Symbol.dispose]: () => servers.map((server) => server[Symbol.dispose]()) };
  }

  /** Calls the servers all the time, and records which of them are ejected and taken back. */
  function load(options: Partial<ConnectOptions> = {}) {
    const events: string[] = [];
    const onEjected = (address: string) => events.push(`ejected ${address}`);
    const onReturned = (address: string) => events.push(`returned ${address}`);
    ejections.on("ejected", onEjected).on("returned", onReturned);
    const client = dialHere("replicas:catalog", options);
    const timer = setInterval(() => void get(client), 10);
    const end = () => {
      clearInterval(timer);
      client[Symbol.dispose]();
      ejections.off("ejected", onEjected).off("returned", onReturned);
    };
    return { events, [Symbol.dispose]: end };
  }

  it("ejects a server that fails, tries it again, and keeps it once it works", async () => {
    using shop = await three([status.OK, status.UNAVAILABLE, status.OK]);
    const [, failing] = shop.servers;
    assert.ok(failing);
    showEjections();
    using client = load({ metrics: madeCalls(CatalogServiceService) });
    const { events } = client;
    const states = [`ejected ${failing.address}`, `returned ${failing.address}`];
    await eventually(() => events.length === 1, PATIENCE_MS);
    const calls = failing.calls;
    await wait(1000); // It stays ejected for at least 5 s. A few calls may have been on their way.
    assert.ok(failing.calls < calls + 10, `${failing.calls - calls} calls while ejected`);
    // It is tried again, and fails again.
    await eventually(() => events.length === 3, PATIENCE_MS);
    assert.deepEqual(events, [...states, states[0]]);
    assert.ok(failing.calls >= calls + 5, "it was not tried again");
    failing.code = status.OK;
    await eventually(() => events.length === 4, PATIENCE_MS);
    const then = failing.calls;
    await eventually(() => failing.calls > then + 100, PATIENCE_MS);
    assert.deepEqual(events, [...states, ...states]);
    const page = await register.metrics();
    assert.ok(page.includes(`bakery_ejections_total{address="${failing.address}"} 2`), page);
  });

  it("ejects one of three, even if two fail, and even for NOT_FOUND", async () => {
    using _shop = await three([status.NOT_FOUND, status.OK, status.NOT_FOUND]);
    using client = load();
    await eventually(() => client.events.length > 0, PATIENCE_MS);
    await wait(2500); // Longer than the interval.
    assert.equal(client.events.length, 1, client.events.join());
  });

  it("ejects none of two, and none if it is off", async () => {
    for (const [codes, ejects] of [
      [[status.OK, status.UNAVAILABLE], true],
      [[status.OK, status.UNAVAILABLE, status.OK], false],
    ] as const) {
      using _shop = await three(codes);
      using client = load({ ejects });
      await wait(4500); // Longer than two intervals.
      assert.deepEqual(client.events, []);
    }
  });

  it("is checked before a channel opens", () => {
    const understood = withOutlierDetection("round_robin");
    assert.match(JSON.stringify(understood), /"minimum_hosts":3,"request_volume":5/);
    assert.match(JSON.stringify(understood), /"interval":{"seconds":2,"nanos":0}/);
    assert.throws(() => withOutlierDetection("least_request"));
    const balancingOf = (policy: string) => balancing("replicas:catalog", policy, true);
    assert.deepEqual(balancingOf("pick_first"), { loadBalancingConfig: [{ pick_first: {} }] });
    assert.deepEqual(balancingOf("round_robin"), { loadBalancingConfig: [understood] });
    assert.deepEqual(balancing("127.0.0.1:1", "round_robin", true), {});
  });
});
