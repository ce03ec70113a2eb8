// Step 12 over the wire: one name, three servers, and some of them away. Prints the figures that
// the README quotes.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { connect as connectTcp, createServer, type Server as TcpServer } from "node:net";
import { join } from "node:path";
import { after, afterEach, before, describe, it, mock } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { type ClientUnaryCall, Metadata, status } from "@grpc/grpc-js";
import { type TemporaryFolder, temporaryFolder } from "../shared/testing/cleanup.ts";
import { noSignals } from "../shared/testing/programs.ts";
import {
  eventually,
  inThisProcess,
  type RunningServer,
  runClient,
  startProgram,
  startServer,
} from "../shared/testing/servers.ts";
import { balancing, policyProblem } from "./client/balancing.ts";
import { channelSecurity } from "./client/channel-credentials.ts";
import { connect } from "./client/connection.ts";
import { readReplicas, registerReplicas } from "./client/replicas.ts";
import { targetProblem } from "./client/target.ts";
import { unaryCall } from "./client/unary-call.ts";
import { CatalogServiceClient, type GetProductResponse } from "./gen/bakery/v1/catalog.ts";
import { type CreateOrderResponse, OrderServiceClient } from "./gen/bakery/v1/orders.ts";
import { type HealthCheckResponse, HealthClient } from "./gen/grpc/health/v1/health.ts";

const folder = import.meta.dirname;
const REPLICAS = "replicas:catalog";
const CATALOG = CatalogServiceClient.serviceName;
/** Under the control, whose programs are those of the step before, the tests needn't be patient. */
const PATIENCE_MS = process.env.COURSE_CONTROL === undefined ? 60_000 : 1000;
const soon = () => ({ deadline: Date.now() + PATIENCE_MS });
const fails = (call: Promise<unknown>, code: status, details: string | RegExp) =>
  assert.rejects(call, { code, details });

/** Keys, certificates and the list of replicas. */
let made: TemporaryFolder;
let scratch: string;
let list: string;
const tokens = { ada: "", baker: "", orders: "" };

before(() => {
  made = temporaryFolder("replicas");
  scratch = made.path;
  list = join(scratch, "replicas.json");
  tokens.ada = makeToken("ada", "customer");
  tokens.baker = makeToken("bo", "baker");
  tokens.orders = makeToken("orders", "service");
  registerReplicas(list);
});

afterEach(() => mock.reset());
after(() => made.remove());

function settings(): NodeJS.ProcessEnv {
  const folders = { CERTS: join(scratch, "certs"), KEYS: join(scratch, "keys") };
  return { ...folders, TILL_MS: "0", KITCHEN_MS: "20" };
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
const startReplica = (leader: RunningServer, env: NodeJS.ProcessEnv = {}) =>
  startCatalog({ FOLLOW: leader.address, LOST_MS: "300", ...env });
const portOf = ({ address }: RunningServer) => address.split(":").at(-1);

/** A leader, two replicas of it, and the list of all three. */
async function startThree(env: NodeJS.ProcessEnv = {}) {
  const leader = await startCatalog();
  const replicas = [startReplica(leader, env), startReplica(leader, env)] as const;
  const servers = [leader, ...(await Promise.all(replicas))] as const;
  write(...servers);
  const stop = () => Promise.all(servers.map(({ program }) => program.stop()));
  return { servers, [Symbol.asyncDispose]: async () => void (await stop()) };
}

function write(...servers: RunningServer[]): void {
  writeFileSync(list, JSON.stringify({ catalog: servers.map(({ address }) => address) }));
}

/** Connects as this step's client does, over a connection of its own. */
function dial(target: string, token = "", policy = "round_robin") {
  const files = { ca: join(scratch, "certs", "ca.pem"), cert: "", key: "" };
  const security = channelSecurity({ ...files, plaintext: false, token }, target);
  const connection = connect(target, { deadlineMs: 0, verbose: false, security, policy });
  return {
    catalog: connection.stub(CatalogServiceClient),
    orders: connection.stub(OrderServiceClient),
    health: connection.stub(HealthClient),
    [Symbol.dispose]: () => connection.close(),
  };
}

type Dialled = ReturnType<typeof dial>;

/** Asks for a product. Returns who answered, what is left, and how old that is. */
async function get({ catalog }: Dialled, id = "rye", options = soon()) {
  let call: ClientUnaryCall | undefined;
  let headers = new Metadata();
  const { product } = await unaryCall<GetProductResponse>((done) => {
    call = catalog.getProduct({ id }, new Metadata(), options, done);
    call.on("metadata", (received: Metadata) => {
      headers = received;
    });
  });
  const ageMs = headers.get("x-levels-age-ms")[0];
  return { from: call?.getPeer(), units: product?.unitsInStock, ageMs };
}

async function restock(at: string, units = 5) {
  using baker = dial(at, tokens.baker);
  await unaryCall((done) => {
    const call = baker.catalog.restockProducts(new Metadata(), soon(), done);
    call.write({ content: { $case: "crate", value: { productId: "rye", units } } });
    call.write({ content: { $case: "deliveryNote", value: { crates: 1 } } });
    call.end();
  });
}

async function servingStatus({ address }: RunningServer): Promise<string> {
  using dialled = dial(address);
  const { status } = await unaryCall<HealthCheckResponse>((done) =>
    dialled.health.check({ service: CATALOG }, new Metadata(), soon(), done),
  );
  return status;
}

/** Repeats `act` until it returns true. Returns how long that took, in milliseconds. */
async function until(act: () => Promise<boolean>): Promise<number> {
  const startedAt = performance.now();
  while (!(await act())) {
    assert.ok(performance.now() < startedAt + PATIENCE_MS, `still not so: ${act}`);
    await wait(1);
  }
  return Math.round(performance.now() - startedAt);
}

/** Calls until each of these servers has answered, and no other has. */
async function untilOnly(client: Dialled, servers: readonly RunningServer[]): Promise<number> {
  const wanted = servers.map(({ address }) => address).sort();
  return await until(async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => get(client)));
    return [...new Set(answers.map(({ from }) => from))].sort().join() === wanted.join();
  });
}

/** Makes 200 calls a second while `act` runs. Returns how many it made, and how many failed. */
async function underLoad(client: Dialled, act: () => Promise<void>) {
  let calls = 0;
  const failures: { code: status; details: string }[] = [];
  const underWay = new Set<Promise<unknown>>();
  const timer = setInterval(() => {
    calls++;
    const call = get(client).catch((error) => failures.push(error));
    underWay.add(call);
    void call.finally(() => underWay.delete(call));
  }, 5);
  try {
    await act();
  } finally {
    clearInterval(timer);
    await Promise.all(underWay);
  }
  return { calls, failures };
}

describe("a replica", () => {
  it("has the leader's levels, and every change", async () => {
    await using leader = await startCatalog();
    await restock(leader.address, 100);
    await using replica = await startReplica(leader);
    using client = dial(replica.address);
    assert.equal((await get(client)).units, 108);
    await restock(leader.address, 7);
    await until(async () => (await get(client)).units === 115);
    const answer = await get(client);
    assert.equal(answer.ageMs, undefined);
    assert.equal(await servingStatus(replica), "SERVING");
  });

  it("refuses changes, and says where they go", async () => {
    await using leader = await startCatalog();
    await using replica = await startReplica(leader);
    const details = `this is a replica, which only answers reads; changes go to ${leader.address}`;
    await fails(restock(replica.address), status.FAILED_PRECONDITION, details);
    using service = dial(replica.address, tokens.orders);
    const reservationId = "8d2f6c1e-0b7a-4a55-9a3c-5e0c3d6f7a01";
    const units = [{ productId: "rye", quantity: 1 }];
    const request = { reservationId, units };
    const reserve = unaryCall((done) =>
      service.catalog.reserveProducts(request, new Metadata(), soon(), done),
    );
    await fails(reserve, status.FAILED_PRECONDITION, details);
    const confirm = unaryCall((done) =>
      service.catalog.confirmReservation({ reservationId }, new Metadata(), soon(), done),
    );
    await fails(confirm, status.FAILED_PRECONDITION, details);
    using ada = dial(replica.address, tokens.ada);
    const stranger = unaryCall((done) =>
      ada.catalog.reserveProducts(request, new Metadata(), soon(), done),
    );
    await fails(stranger, status.PERMISSION_DENIED, /customer/);
    for (const { address } of [leader, replica]) {
      using client = dial(address);
      assert.equal((await get(client)).units, 8);
    }
  });

  it("doesn't listen before it has levels, and ends when it is told to", async () => {
    const port = await freePort();
    const env = { ...settings(), FOLLOW: `127.0.0.1:${port}` };
    const early = startProgram(folder, "catalog-server.ts", [], env);
    await using _ = { [Symbol.asyncDispose]: () => early.stop() };
    const idle = startProgram(folder, "catalog-server.ts", [], env);
    await using _idle = { [Symbol.asyncDispose]: () => idle.stop() };
    const waiting = `waiting for 127.0.0.1:${port}\n`;
    await eventually(() => early.output().endsWith(waiting), PATIENCE_MS);
    await eventually(() => idle.output().endsWith(waiting), PATIENCE_MS);
    if (noSignals === false) {
      idle.kill("SIGTERM");
      assert.ok(await idle.ends(30_000));
      assert.equal(idle.exitCode, 0, idle.output());
    }
    await using leader = await startCatalog({ PORT: `${port}` });
    await eventually(() => /^listening on/m.test(early.output()), PATIENCE_MS);
    assert.match(early.output(), new RegExp(`following ${leader.address}\n(.*\n)*listening on`));
  });

  it("that has lost its leader says so, still answers, and finds it again", async () => {
    const first = await startCatalog();
    await using _ = first;
    await restock(first.address);
    await using replica = await startReplica(first);
    using client = dial(replica.address);
    first.program.kill("SIGKILL");
    await eventually(() => /^NOT_SERVING: /m.test(replica.program.output()), PATIENCE_MS);
    assert.equal(await servingStatus(replica), "NOT_SERVING");
    const [before, old] = [Date.now(), await get(client)];
    assert.equal(old.units, 13);
    assert.ok(Number(old.ageMs) >= 300, `${old.ageMs} ms`);
    const levels = client.catalog.watchProducts({ productIds: ["rye"] }, soon());
    levels.on("error", () => {}); // Of the cancellation, when the loop is over.
    for await (const { observedAt } of levels) {
      assert.ok(Number(observedAt) <= before - 300, "not observed after the leader was lost");
      break;
    }
    await using second = await startCatalog({ PORT: portOf(first) });
    await until(async () => (await servingStatus(replica)) === "SERVING");
    // The new leader remembers nothing. A database would.
    assert.deepEqual(await get(client), { from: replica.address, units: 8, ageMs: undefined });
    await restock(second.address);
    await until(async () => (await get(client)).units === 13);
  });

  it("notices a leader that is frozen", { skip: noSignals }, async () => {
    await using leader = await startCatalog();
    await using replica = await startReplica(leader);
    leader.program.kill("SIGSTOP");
    await eventually(() => /^NOT_SERVING: /m.test(replica.program.output()), PATIENCE_MS);
    leader.program.kill("SIGCONT");
    await until(async () => (await servingStatus(replica)) === "SERVING");
  });
});

describe("three servers behind a name", () => {
  it("take turns; with pick_first, one takes all", async (test) => {
    await using three = await startThree();
    using client = dial(REPLICAS);
    await untilOnly(client, three.servers);
    const calls = new Map<string | undefined, number>();
    for (let n = 0; n < 300; n++) {
      const { from } = await get(client);
      calls.set(from, (calls.get(from) ?? 0) + 1);
    }
    test.diagnostic(`300 calls: ${[...calls.values()].join(", ")}`);
    assert.deepEqual([...calls.values()], [100, 100, 100]);
    using first = dial(REPLICAS, "", "pick_first");
    await untilOnly(first, three.servers.slice(0, 1));
  });

  it("lose few calls when one is killed; when it is back, it gets calls again", async (test) => {
    await using three = await startThree();
    const [leader, second, third] = three.servers;
    using client = dial(REPLICAS);
    await untilOnly(client, three.servers);
    const { calls, failures } = await underLoad(client, async () => {
      await wait(500);
      second.program.kill("SIGKILL");
      await second.program.ends(PATIENCE_MS);
      await untilOnly(client, [leader, third]);
      await wait(2000);
    });
    test.diagnostic(`SIGKILL at 200 calls/s: ${failures.length} of ${calls} calls lost`);
    for (const { code } of failures) assert.equal(code, status.UNAVAILABLE);
    assert.ok(failures.length < calls / 4, `${failures.length} of ${calls}`);
    await using again = await startReplica(leader, { PORT: portOf(second) });
    const backMs = await untilOnly(client, [leader, third, again]);
    test.diagnostic(`gets calls ${backMs} ms after it listens again`);
  });

  for (const DRAIN_MS of ["0", "1000"]) {
    it(`lose no call when one ends with DRAIN_MS=${DRAIN_MS}`, {
      skip: noSignals,
    }, async (test) => {
      await using three = await startThree({ DRAIN_MS });
      const [leader, second, third] = three.servers;
      using client = dial(REPLICAS);
      await untilOnly(client, three.servers);
      const { calls, failures } = await underLoad(client, async () => {
        await wait(500);
        second.program.kill("SIGTERM");
        await second.program.ends(PATIENCE_MS);
        await untilOnly(client, [leader, third]);
        await wait(500);
      });
      test.diagnostic(`SIGTERM, DRAIN_MS=${DRAIN_MS}: ${failures.length} of ${calls} calls lost`);
      assert.deepEqual(failures, []);
      assert.equal(second.program.exitCode, 0);
    });
  }

  it("with a shelf each confirm no order", async (test) => {
    await using a = await startCatalog();
    await using b = await startCatalog();
    await using c = await startCatalog();
    write(a, b, c);
    const env = { CATALOG_ADDRESS: REPLICAS, REPLICAS: list, CATALOG_TOKEN: tokens.orders };
    await using counter = await start("orders-server.ts", { ...env, CATALOG_MS: "10000" });
    await eventually(() => counter.program.output().includes("reached the catalog"), PATIENCE_MS);
    using ada = dial(counter.address, tokens.ada);
    const lines = [{ productId: "rye", quantity: 1 }];
    const order = () =>
      unaryCall<CreateOrderResponse>((done) =>
        ada.orders.createOrder({ lines }, new Metadata(), soon(), done),
      );
    const isPlaced = () => order().then(Boolean, () => false);
    // Until all three are connected, a reservation and its confirmation may reach the same one.
    await until(async () => !(await isPlaced()) && !(await isPlaced()) && !(await isPlaced()));
    let confirmed = 0;
    for (let n = 0; n < 18; n++) if (await isPlaced()) confirmed++;
    test.diagnostic(`three shelves: ${confirmed} of 18 orders confirmed`);
    assert.equal(confirmed, 0);
  });
});

describe("the list of replicas", () => {
  it("may change, be half written, or be missing", async (test) => {
    const said = mock.method(console, "error", () => {});
    const messages = () => said.mock.calls.map((call) => String(call.arguments[0]));
    await using three = await startThree();
    const [leader, second, third] = three.servers;
    using client = dial(REPLICAS);
    await untilOnly(client, three.servers);
    const figures: number[] = [];
    for (let round = 0; round < 5; round++) {
      write(leader, second);
      figures.push(await untilOnly(client, [leader, second]));
      write(leader, second, third);
      figures.push(await untilOnly(client, three.servers));
    }
    test.diagnostic(`a change of the list takes effect within ${Math.max(...figures)} ms`);
    for (const [text, problem] of [
      [`{ "catalog": ["${leader.address}"`, /JSON/],
      ["", /JSON/],
      ["null", /has no addresses/],
      ["{}", /has no addresses for "catalog"/],
      ['{ "catalog": [] }', /has no addresses/],
      ['{ "catalog": "127.0.0.1:1" }', /has no addresses/],
      ['{ "catalog": ["127.0.0.1:1", "http://127.0.0.1:2"] }', /an address must be HOST:PORT/],
    ] as const) {
      said.mock.resetCalls();
      writeFileSync(list, text);
      await eventually(() => messages().some((line) => problem.test(line)), PATIENCE_MS);
      assert.ok(messages().every((line) => line.endsWith("; keeping the previous list")));
      await untilOnly(client, three.servers);
    }
    rmSync(list);
    await eventually(() => messages().some((line) => /ENOENT/.test(line)), PATIENCE_MS);
    await untilOnly(client, three.servers);
    write(second);
    await untilOnly(client, [second]);
  });

  it("that is missing at first fails calls, until it is there", async () => {
    rmSync(list, { force: true });
    using client = dial(REPLICAS);
    await fails(get(client), status.UNAVAILABLE, /replicas\.json: ENOENT/);
    await using leader = await startCatalog();
    await using replica = await startReplica(leader);
    write(replica);
    await until(async () => (await get(client).catch(() => undefined))?.from === replica.address);
  });

  it("leads only to servers with a certificate for the name", async () => {
    await using three = await startThree();
    const CERTS = join(scratch, "others");
    await using stranger = await startCatalog({ CERTS, CERT_NAMES: "127.0.0.1" });
    write(stranger);
    using client = dial(REPLICAS);
    await fails(get(client), status.UNAVAILABLE, /certificate/);
    await using nameless = await startCatalog({ CERT_NAMES: "127.0.0.1,localhost" });
    write(nameless);
    using other = dial(REPLICAS);
    await fails(get(other), status.UNAVAILABLE, /Hostname\/IP does not match.*Host: catalog\./);
    write(...three.servers);
  });
});
describe("the command line", () => {
  const env = () => ({
    REPLICAS: list,
    BAKERY_CA: join(scratch, "certs", "ca.pem"),
    BAKERY_TOKEN: tokens.baker,
  });
  const run = (...args: string[]) => runClient(folder, args, env());

  it("reads from all, and changes at the leader", async () => {
    await using three = await startThree();
    const [leader, second, third] = three.servers;
    const polled = await run("poll", "rye", "--count", "40");
    assert.equal(polled.exitCode, 0, polled.stderr);
    for (const { address } of three.servers) {
      assert.match(polled.stdout, new RegExp(`^${address} +\\d+ calls?$`, "m"));
    }
    assert.match(polled.stdout, /\nfailed +0 calls\n$/);
    assert.equal((await run("restock", "rye=2")).stdout, "restocked 2 units of 1 product\n");
    const refused = await run("restock", "rye=2", "--address", second.address);
    assert.equal(refused.exitCode, 64 + status.FAILED_PRECONDITION);
    using replica = dial(third.address);
    await until(async () => (await get(replica)).units === 10);
    assert.match((await run("get", "rye", "--address", third.address)).stdout, /^In stock: 10$/m);
    const one = await run("poll", "rye", "--count", "5", "--policy", "pick_first");
    assert.match(one.stdout, new RegExp(`^${leader.address} +5 calls\nfailed`, "m"));
    const [, port] = leader.address.split(":");
    const byDns = await run("poll", "rye", "--count", "1", "--address", `dns:localhost:${port}`);
    assert.match(byDns.stdout, /\nfailed +0 calls\n$/, byDns.stderr);

    for (const { program } of three.servers) await program.stop();
    const failed = await run("poll", "rye", "--count", "2");
    assert.equal(failed.exitCode, 1);
    assert.match(failed.stderr, /^2 of 2 calls failed$/m);
  });

  it("says how old a lost replica's levels are", async () => {
    await using leader = await startCatalog();
    await using replica = await startReplica(leader);
    await leader.program.stop();
    await eventually(() => /^NOT_SERVING: /m.test(replica.program.output()), PATIENCE_MS);
    const { stdout, stderr } = await run("get", "rye", "--address", replica.address);
    assert.match(stdout, /^In stock: 8$/m);
    assert.match(stderr, /^these levels are \d+\.\d s old: their server has lost its leader$/m);
  });

  it("refuses a policy that grpc-js lacks, and what is no target", async () => {
    for (const policy of ["least_request", "roundrobin", ""]) {
      const refused = await run("poll", "rye", "--policy", policy);
      assert.equal(refused.exitCode, 2);
      assert.match(refused.stderr, /^--policy must be a policy that grpc-js has, such as round_ro/);
    }
    assert.equal((await run("poll", "rye", "--address", "http://127.0.0.1:1")).exitCode, 2);
  });
});

describe("the starter", () => {
  const isOpen = (port: number) =>
    new Promise<boolean>((resolve) => {
      const socket = connectTcp(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });

  async function startAll(env: NodeJS.ProcessEnv = {}) {
    const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
    const [orders, ...catalogs] = ports;
    const file = join(scratch, "started.json");
    writeFileSync(file, JSON.stringify({ catalog: catalogs.map((port) => `127.0.0.1:${port}`) }));
    const own = { REPLICAS: file, ORDERS_PORT: `${orders}`, ORDERS_METRICS_PORT: "0", ...env };
    const program = startProgram(folder, "server.ts", [], { ...settings(), ...own });
    return { program, ports, file, [Symbol.asyncDispose]: () => program.stop() };
  }

  async function startedAll() {
    const all = await startAll();
    try {
      await eventually(() => all.program.output().includes("reached the catalog"), PATIENCE_MS);
      return all;
    } catch (error) {
      await all.program.stop();
      throw error;
    }
  }

  it("starts all servers, and ends them on Ctrl+C", { skip: noSignals }, async () => {
    await using all = await startedAll();
    const { program, ports } = all;
    for (const [at, name] of ["orders    ", "catalog   ", "catalog-2 ", "catalog-3 "].entries()) {
      const line = new RegExp(`^${name} listening on 127.0.0.1:${ports[at]}$`, "m");
      assert.match(program.output(), line);
    }
    program.interrupt();
    assert.ok(await program.ends(30_000));
    assert.equal(program.exitCode, 0, program.output());
    for (const port of ports) await until(async () => !(await isOpen(port)));
  });

  it("leaves the others as they are when one is killed", { skip: noSignals }, async () => {
    await using all = await startedAll();
    const { program, ports } = all;
    const [, pid = ""] = /^catalog-2 +process (\d+)$/m.exec(program.output()) ?? [];
    process.kill(Number(pid), "SIGKILL");
    await eventually(() => program.output().includes("catalog-2  ended by SIGKILL\n"), PATIENCE_MS);
    const [orders, leader, , third] = ports;
    for (const port of [orders, leader, third]) assert.ok(await isOpen(Number(port)));
    program.kill("SIGKILL");
    for (const port of ports) await until(async () => !(await isOpen(port)));
  });

  it("ends all if one can't start", async () => {
    const taken = createServer();
    await using _ = { [Symbol.asyncDispose]: async () => void taken.close() };
    await using all = await startAll({ ORDERS_PORT: `${await listen(taken)}` });
    const { program, ports } = all;
    assert.ok(await program.ends(PATIENCE_MS));
    assert.equal(program.exitCode, 1);
    assert.match(program.output(), /^orders +cannot listen on .*: the port is in use/m);
    for (const port of ports) assert.equal(await isOpen(port), false);
  });
});

describe("what the client dials", inThisProcess, () => {
  it("is an address, or a name", () => {
    for (const target of ["127.0.0.1:1", "[::1]:1", "dns:shop.test:443", "replicas:catalog"]) {
      assert.equal(targetProblem(target), undefined);
    }
    for (const target of ["replicas:", "replicas:a/b", "dns:shop.test", "xds:catalog", "shop"]) {
      assert.match(String(targetProblem(target)), /^must be/);
    }
  });

  it("has a policy that grpc-js knows", () => {
    assert.equal(policyProblem("round_robin"), undefined);
    assert.throws(() => balancing(REPLICAS, "least_request"), /must be a policy/);
    assert.deepEqual(balancing("127.0.0.1:1", "round_robin"), {});
  });

  it("is in the step's own list as in the lesson", () => {
    const [leader, ...others] = readReplicas(join(folder, "replicas.json"), "catalog");
    assert.deepEqual([leader, others.length], ["127.0.0.1:50051", 2]);
  });
});

/** Lets a server of this process listen on a free port. Returns the port. */
async function listen(server: TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  return typeof at === "object" ? (at?.port ?? 0) : 0;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  const port = await listen(probe);
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
