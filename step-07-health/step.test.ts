// Step 07 over the wire: what machines hear of the server's health, and what tools find out by
// themselves.

import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { getEventListeners, once } from "node:events";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import {
  type ClientHttp2Session,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import { createRequire } from "node:module";
import { type AddressInfo, connect as connectTcp, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import {
  type ClientReadableStream,
  credentials,
  Metadata,
  Server,
  type ServiceError,
  type StatusObject,
  status,
} from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import { noSignals } from "../shared/testing/programs.ts";
import {
  type ClientRun,
  eventually,
  listenHere,
  type RunningServer,
  runClient,
  startProgram,
  startServer,
} from "../shared/testing/servers.ts";
import { channelSecurity } from "./client/channel-credentials.ts";
import { unaryCall } from "./client/unary-call.ts";
import { CatalogServiceClient, type GetProductResponse } from "./gen/bakery/v1/catalog.ts";
import { type CreateOrderResponse, OrderServiceClient } from "./gen/bakery/v1/orders.ts";
import { type HealthCheckResponse, HealthClient } from "./gen/grpc/health/v1/health.ts";
import {
  ServerReflectionClient,
  ServerReflectionRequest,
  ServerReflectionService,
} from "./gen/grpc/reflection/v1/reflection.ts";
import {
  ServerReflectionClient as AlphaReflectionClient,
  ServerReflectionService as AlphaReflectionService,
} from "./gen/grpc/reflection/v1alpha/reflection.ts";
import { serverHealth } from "./server/health.ts";
import { closingInterceptor } from "./server/interceptors/closing.ts";
import { StatusError } from "./server/status-error.ts";

const folder = import.meta.dirname;
const bufProgram = createRequire(import.meta.url).resolve("@bufbuild/buf/bin/buf");
const CATALOG = "bakery.v1.CatalogService";
const ORDERS = "bakery.v1.OrderService";
const SERVICES = [
  CATALOG,
  ORDERS,
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
];
const soon = () => ({ deadline: Date.now() + 20_000 });

/** Keys and certificates of all servers here. */
let scratch: string;
let token: string;
let server: RunningServer;

before(async () => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "course-health-")));
  server = await start({ KITCHEN_MS: "600" }); // An order is on its way while a tool starts.
  const args = [
    "--import",
    "tsx/esm",
    join(folder, "token.ts"),
    "--user",
    "ada",
    "--role",
    "baker",
  ];
  const env = { ...process.env, KEYS: join(scratch, "keys") };
  token = spawnSync(process.execPath, args, { env, encoding: "utf8" }).stdout.trim();
});

after(async () => {
  await server?.program.stop();
  rmSync(scratch, { recursive: true, force: true });
});

function start(env: NodeJS.ProcessEnv = {}): Promise<RunningServer> {
  const [certs, keys] = [join(scratch, "certs"), join(scratch, "keys")];
  return startServer(folder, { CERTS: certs, KEYS: keys, TILL_MS: "0", KITCHEN_MS: "20", ...env });
}

const ca = () => join(scratch, "certs", "ca.pem");

/** The stubs for a server, all on one connection. `using` closes it. */
function dial({ address }: { readonly address: string }, bearer = token) {
  const settings = { ca: ca(), cert: "", key: "", plaintext: false, token: bearer };
  const { credentials: channel, channelOptions } = channelSecurity(settings, address);
  const catalog = new CatalogServiceClient(address, channel, channelOptions);
  const options = { channelOverride: catalog.getChannel() };
  return {
    catalog,
    orders: new OrderServiceClient(address, channel, options),
    health: new HealthClient(address, channel, options),
    v1: new ServerReflectionClient(address, channel, options),
    v1alpha: new AlphaReflectionClient(address, channel, options),
    [Symbol.dispose]: () => catalog.close(),
  };
}

function check(health: HealthClient, service: string): Promise<HealthCheckResponse> {
  return unaryCall((done) => health.check({ service }, new Metadata(), soon(), done));
}

/** What a stream has brought so far, and what it ended with. */
function collect<Message>(call: ClientReadableStream<Message>) {
  const seen: { messages: Message[]; status: StatusObject | undefined } = {
    messages: [],
    status: undefined,
  };
  call.on("data", (message: Message) => seen.messages.push(message));
  call.on("error", () => {});
  call.on("status", (ended: StatusObject) => {
    seen.status = ended;
  });
  return seen;
}

const statusesOf = (seen: { messages: HealthCheckResponse[] }) =>
  seen.messages.map((message) => message.status);

function client(running: RunningServer | string, ...args: string[]): Promise<ClientRun> {
  const address = typeof running === "string" ? running : running.address;
  return runClient(folder, args, { BAKERY_ADDRESS: address, BAKERY_CA: ca() });
}

describe("health", () => {
  for (const service of ["", CATALOG, ORDERS]) {
    it(`of ${service || "the server"} is SERVING, to whoever asks`, async () => {
      using bakery = dial(server, "");
      assert.equal((await check(bakery.health, service)).status, "SERVING");
    });
  }

  it("of a service that is not there is not known", async () => {
    using bakery = dial(server, "");
    await assert.rejects(check(bakery.health, "bakery.v1.Nope"), { code: status.NOT_FOUND });
    const call = bakery.health.watch({ service: "bakery.v1.Nope" }, soon());
    const seen = collect(call);
    await eventually(() => seen.messages.length > 0);
    assert.deepEqual(statusesOf(seen), ["SERVICE_UNKNOWN"]);
    call.cancel();
  });

  it("of orders is NOT_SERVING while the oven warms up, and a watch hears of the end", async () => {
    await using cold = await start({ WARMUP_MS: "4000" });
    using bakery = dial(cold, "");
    const call = bakery.health.watch({ service: ORDERS }, soon());
    const seen = collect(call);
    await eventually(() => seen.messages.length > 0);
    assert.equal((await check(bakery.health, ORDERS)).status, "NOT_SERVING");
    assert.equal((await check(bakery.health, CATALOG)).status, "SERVING");
    assert.equal((await check(bakery.health, "")).status, "SERVING");
    await eventually(() => seen.messages.length > 1);
    assert.deepEqual(statusesOf(seen), ["NOT_SERVING", "SERVING"]);
    call.cancel();
  });

  it("is sent to those who watch it only when it changes", async () => {
    const here = new Server();
    const draining = new AbortController();
    const health = serverHealth({ [ORDERS]: "SERVING", "": "SERVING" }, draining.signal);
    health.addToServer(here);
    const watcher = new HealthClient(await listenHere(here), credentials.createInsecure());
    try {
      const whole = collect(watcher.watch({ service: "" }, soon()));
      const orders = collect(watcher.watch({ service: ORDERS }, soon()));
      await eventually(() => whole.messages.length > 0 && orders.messages.length > 0);
      for (const next of ["SERVING", "NOT_SERVING", "NOT_SERVING", "SERVING"] as const) {
        health.setStatus(ORDERS, next);
      }
      health.setStatus(ORDERS, "NOT_SERVING");
      draining.abort();
      await eventually(() => whole.messages.length > 1); // Written after all that orders gets.
      const heard = ["SERVING", "NOT_SERVING", "SERVING", "NOT_SERVING"];
      assert.deepEqual(statusesOf(orders), heard);
      assert.deepEqual(statusesOf(whole), ["SERVING", "NOT_SERVING"]);
    } finally {
      watcher.close();
      here.forceShutdown();
    }
  });

  it("needs no token, and opens nothing else", async () => {
    using bakery = dial(server, "");
    const order = unaryCall<CreateOrderResponse>((done) =>
      bakery.orders.createOrder({ lines: [] }, new Metadata(), soon(), done),
    );
    await assert.rejects(order, { code: status.UNAUTHENTICATED });
  });
});

describe("health of services that aren't there", () => {
  it("costs no memory, however many are watched", async () => {
    await using small = await start({ NODE_OPTIONS: "--max-old-space-size=64" });
    using bakery = dial(small, "");
    // Node.js closes a connection on which a thousand calls were cancelled at once.
    for (let round = 0; round < 19; round++) {
      const watches = Array.from({ length: 50 }, (_, at) => {
        const service = `${round}-${at}`.padEnd(60_000, "x");
        const call = bakery.health.watch({ service }, soon());
        return { call, seen: collect(call) };
      });
      await eventually(() => watches.every(({ seen }) => seen.messages.length > 0));
      for (const { call, seen } of watches) {
        assert.deepEqual(statusesOf(seen), ["SERVICE_UNKNOWN"]);
        call.cancel();
      }
    }
    assert.equal((await check(bakery.health, "")).status, "SERVING");
  });

  it("is answered in a few words, and no other call suffers", async () => {
    using bakery = dial(server, "");
    const refused = assert.rejects(check(bakery.health, "é".repeat(30_000)), {
      code: status.NOT_FOUND,
      details: `health status unknown for service ${"é".repeat(64)}`,
    });
    const others = Array.from({ length: 10 }, () => check(bakery.health, ORDERS));
    const [, ...answers] = await Promise.all([refused, ...others]);
    for (const { status: one } of answers) assert.equal(one, "SERVING");
  });

  it("is watched until the client leaves, or the server closes", { skip: noSignals }, async () => {
    await using other = await start();
    using bakery = dial(other, "");
    const seen = collect(bakery.health.watch({ service: "bakery.v1.Nope" }, soon()));
    await eventually(() => seen.messages.length > 0);
    assert.equal(seen.status, undefined);
    other.program.kill("SIGTERM");
    assert.ok(await other.program.ends(4000), "still running");
    assert.equal(other.program.exitCode, 0);
    await eventually(() => seen.status !== undefined);
    assert.match(JSON.stringify(seen.status), /the bakery is closing/);
  });
});

/** Makes a call over a bare connection, on which nothing but HTTP/2 is done for the caller. */
function bareCall(session: ClientHttp2Session, path: string, headers: OutgoingHttpHeaders = {}) {
  const grpc = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };
  const call = session.request({ ...grpc, ":path": path, ...headers });
  call.on("error", () => {});
  return call.resume();
}

const NO_FIELDS = Buffer.alloc(5); // a message as it travels: a flag, its length, and no bytes

describe("a call that grpc-js would mishandle", () => {
  const WATCH = `/${CATALOG}/WatchProducts`;
  let session: ClientHttp2Session;
  before(() => {
    session = connect(`https://${server.address}`, { ca: readFileSync(ca()) });
    session.on("error", () => {});
  });
  after(() => session?.destroy());

  it("is refused before one of its messages is unpacked", async () => {
    const call = bareCall(session, `/${CATALOG}/GetProduct`, { "grpc-encoding": "gzip" });
    const [headers] = await once(call, "response");
    assert.equal(headers["grpc-status"], String(status.UNIMPLEMENTED));
    call.close();
  });

  it("gets short details, whatever its deadline looks like", async () => {
    const call = bareCall(session, WATCH, { "grpc-timeout": "%".repeat(60_000) });
    let headers: IncomingHttpHeaders | undefined;
    call.once("response", (received) => {
      headers = received;
    });
    await eventually(() => headers !== undefined);
    assert.equal(headers?.["grpc-status"], String(status.INTERNAL));
    assert.equal(decodeURI(String(headers?.["grpc-message"])).length, 1024);
    call.close();
  });

  it("gets its status, even if its deadline passes between two messages", async () => {
    const statuses: unknown[] = [];
    for (let ms = 1; ms <= 30; ms++) {
      const calls = Array.from({ length: 10 }, () => {
        const call = bareCall(session, WATCH, { "grpc-timeout": `${ms}m` });
        const look = (headers: IncomingHttpHeaders) => {
          if (headers["grpc-status"] !== undefined) statuses.push(headers["grpc-status"]);
        };
        call.on("response", look).on("trailers", look).end(NO_FIELDS);
        return call;
      });
      await eventually(() => statuses.length === ms * calls.length);
    }
    assert.deepEqual([...new Set(statuses)], [String(status.DEADLINE_EXCEEDED)]);
  });
});

describe("a connection", () => {
  it("is closed once it is idle, and not while it has a call", async () => {
    await using other = await start({ IDLE_MS: "1000" });
    const open = () => {
      const session = connect(`https://${other.address}`, { ca: readFileSync(ca()) });
      const seen: { session: ClientHttp2Session; goaway?: number } = { session };
      session
        .on("error", () => {})
        .once("goaway", (code) => {
          seen.goaway = code;
        });
      return seen;
    };
    const busy = open();
    const call = bareCall(busy.session, `/${CATALOG}/WatchProducts`);
    let messages = 0;
    call.on("data", () => messages++).end(NO_FIELDS);
    await eventually(() => messages > 0);
    const idle = open(); // It is younger, and is closed first all the same.
    try {
      await eventually(() => idle.session.destroyed);
      assert.deepEqual([idle.goaway, busy.goaway], [0, undefined]);
      call.close();
      await eventually(() => busy.session.destroyed);
      assert.equal(busy.goaway, 0);
    } finally {
      for (const { session } of [busy, idle]) session.destroy();
    }
  });

  it("is replaced when it is old: no call is lost, and streams are cut off later", async () => {
    await using other = await start({ AGE_MS: "3000" });
    const [host = "", port] = other.address.split(":");
    let connections = 0;
    const relay = createServer((near) => {
      connections++;
      const far = connectTcp(Number(port), host);
      for (const socket of [near, far]) socket.on("error", () => {});
      near.pipe(far).pipe(near);
    });
    await once(relay.listen(0, host), "listening");
    const { port: relayPort } = relay.address() as AddressInfo;
    using bakery = dial({ address: `${host}:${relayPort}` }, "");
    const stream = collect(bakery.catalog.watchProducts({ productIds: ["rye"] }, soon()));
    await eventually(() => stream.messages.length > 0);
    const outcomes = new Set<string>();
    let enough = false;
    const callers = Array.from({ length: 4 }, async () => {
      while (!enough) {
        const said = await check(bakery.health, "").then(({ status }) => status, String);
        outcomes.add(said);
      }
    });
    try {
      await eventually(() => connections >= 3);
    } finally {
      enough = true;
      await Promise.all(callers);
      relay.close();
    }
    assert.deepEqual([...outcomes], ["SERVING"]);
    assert.equal(stream.status?.code, status.UNAVAILABLE);
  });
});

/** Returns a request to reflection as it travels: a flag, its length, and its bytes. */
function question(value: string): Buffer {
  const messageRequest = { $case: "fileContainingSymbol", value } as const;
  const message = ServerReflectionRequest.encode({ host: "", messageRequest }).finish();
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

describe("a reflection client that reads nothing", () => {
  for (const { serverReflectionInfo } of [ServerReflectionService, AlphaReflectionService]) {
    it(`is not read from either, on ${serverReflectionInfo.path}`, async () => {
      const session = connect(`https://${server.address}`, {
        ca: readFileSync(ca()),
        maxSessionMemory: 100, // in MB, for what waits here
        settings: { initialWindowSize: 0 }, // The server may send no message at all.
      });
      try {
        const request = bareCall(session, serverReflectionInfo.path);
        const message = question("x".repeat(50_000));
        let taken = 0;
        for (let count = 0; count < 300; count++) request.write(message, () => taken++);
        await setTimeout(1500); // It would take all of them in a part of this time.
        assert.ok(taken < 30, `${taken} of 300 requests were taken`);
      } finally {
        session.destroy();
      }
    });
  }

  it("has one stream at a time on a connection", async () => {
    using bakery = dial(server, "");
    const open = (stub: ServerReflectionClient | AlphaReflectionClient) => {
      const call = stub.serverReflectionInfo(new Metadata(), soon());
      call.write({ host: "", messageRequest: { $case: "listServices", value: "" } });
      return { call, seen: collect<unknown>(call) };
    };
    for (let round = 0; round < 20; round++) {
      const first = open(bakery.v1);
      await eventually(() => first.seen.messages.length > 0);
      const second = open(bakery.v1alpha);
      await eventually(() => second.seen.status !== undefined);
      assert.equal(second.seen.status?.code, status.RESOURCE_EXHAUSTED);
      first.call.end();
      await eventually(() => first.seen.status !== undefined);
      assert.equal(first.seen.status?.code, status.OK);
    }
  });

  it("gets every answer once it reads", async () => {
    using bakery = dial(server, "");
    const call = bakery.v1.serverReflectionInfo(new Metadata(), soon());
    for (const value of SERVICES) {
      call.write({ host: "", messageRequest: { $case: "fileContainingSymbol", value } });
    }
    call.end();
    const seen = collect(call);
    await eventually(() => seen.status !== undefined);
    assert.deepEqual([seen.status?.code, seen.messages.length], [status.OK, SERVICES.length]);
  });
});

describe("the command health", () => {
  it("says SERVING, and exits with 0", async () => {
    for (const args of [["health"], ["health", ORDERS]]) {
      assert.deepEqual(await client(server, ...args), {
        stdout: "SERVING\n",
        stderr: "",
        exitCode: 0,
      });
    }
  });

  it("exits with 1 for everything else, and says why in a line", async () => {
    await using cold = await start({ WARMUP_MS: "600000" });
    const notYet = await client(cold, "health", ORDERS);
    assert.deepEqual(notYet, {
      stdout: "NOT_SERVING\n",
      stderr: `${ORDERS} is not serving\n`,
      exitCode: 1,
    });
    const unknown = await client(cold, "health", "nope");
    assert.match(unknown.stderr, /^NOT_FOUND: [^\n]+\n$/);
    assert.equal(unknown.exitCode, 1);
    const nobody = await client("127.0.0.1:1", "health");
    assert.match(nobody.stderr, /^UNAVAILABLE: [^\n]+\(is the server running\?[^\n]+\)\n$/);
    assert.equal(nobody.exitCode, 1);
  });

  it("watches until Ctrl+C, or until the server stops", { skip: noSignals }, async () => {
    await using other = await start({ WARMUP_MS: "700" });
    const env = { BAKERY_ADDRESS: other.address, BAKERY_CA: ca() };
    const [left, stayed] = [1, 2].map(() =>
      startProgram(folder, "client.ts", ["health", ORDERS, "--watch"], env),
    );
    assert.ok(left && stayed);
    try {
      const serving = () => /^\d\d:\d\d:\d\d {2}SERVING$/m.test(left.output());
      assert.ok(await left.until(serving, 10_000), left.output());
      left.interrupt();
      assert.ok(await left.ends(5000));
      assert.equal(left.exitCode, 0, left.output());
      assert.ok(await stayed.until(() => / SERVING$/m.test(stayed.output()), 10_000));
      other.program.kill("SIGTERM");
      assert.ok(await stayed.ends(5000));
      assert.match(stayed.output(), / NOT_SERVING\nUNAVAILABLE: the bakery is closing\n$/);
      assert.equal(stayed.exitCode, 1);
    } finally {
      await Promise.all([left.stop(), stayed.stop()]);
    }
  });
});

describe("a server that closes", { skip: noSignals }, () => {
  it("says NOT_SERVING first, and waits for no watch and no explorer", async () => {
    await using other = await start();
    using bakery = dial(other, "");
    const watches = ["", CATALOG, ORDERS].map((service) =>
      collect(bakery.health.watch({ service }, soon())),
    );
    using second = dial(other, ""); // One such stream to a connection.
    const explorers = [bakery.v1, second.v1alpha].map((stub) => {
      const call = stub.serverReflectionInfo(new Metadata(), soon());
      const seen = collect<unknown>(call);
      call.write({ host: "", messageRequest: { $case: "listServices", value: "" } });
      return seen;
    });
    const all = [...watches, ...explorers];
    await eventually(() => all.every(({ messages }) => messages.length > 0));
    other.program.kill("SIGTERM");
    assert.ok(await other.program.ends(4000), "still running: it waits for a stream");
    assert.equal(other.program.exitCode, 0);
    await eventually(() => all.every((seen) => seen.status !== undefined));
    for (const watch of watches) assert.deepEqual(statusesOf(watch), ["SERVING", "NOT_SERVING"]);
    for (const { status: ended } of all) {
      assert.deepEqual(
        [ended?.code, ended?.details],
        [status.UNAVAILABLE, "the bakery is closing"],
      );
    }
  });

  it("finishes 100 calls under way, and ends 50 watches, 50 tracked orders with a status", async () => {
    await using other = await start({ SLOW_MS: "1200", KITCHEN_MS: "0" });
    using bakery = dial(other);
    const lines = [{ productId: "croissant", quantity: 1 }];
    const { order } = await unaryCall<CreateOrderResponse>((done) =>
      bakery.orders.createOrder({ lines }, new Metadata(), soon(), done),
    );
    const watches = Array.from({ length: 50 }, () =>
      collect(bakery.catalog.watchProducts({ productIds: ["rye"] }, soon())),
    );
    const tracks = Array.from({ length: 50 }, () => {
      const call = bakery.orders.trackOrder(new Metadata(), soon());
      call.write({ content: { $case: "start", value: { orderId: order?.id ?? "" } } });
      return collect<unknown>(call);
    });
    const streams = [...watches, ...tracks];
    await eventually(() => streams.every(({ messages }) => messages.length > 0));

    let answered = 0;
    const calls = Array.from({ length: 100 }, async () => {
      const outcome = await unaryCall<GetProductResponse>((done) =>
        bakery.catalog.getProduct({ id: "rye" }, new Metadata(), soon(), done),
      ).then(
        ({ product }) => product?.id,
        (error: ServiceError) => `${error.code} ${error.details}`,
      );
      answered++;
      return outcome;
    });
    // One connection keeps order: when this later call is answered, the server has all of them.
    await check(bakery.health, "");
    assert.equal(answered, 0);
    other.program.kill("SIGTERM");
    assert.deepEqual(await Promise.all(calls), Array(100).fill("rye"));
    assert.ok(await other.program.ends(5000));
    assert.equal(other.program.exitCode, 0);
    await eventually(() => streams.every((seen) => seen.status !== undefined));
    for (const { status: ended } of streams) {
      assert.deepEqual(
        [ended?.code, ended?.details],
        [status.UNAVAILABLE, "the bakery is closing"],
      );
    }
  });

  it("ends after 5 s even if peers are silent or frozen: with 1 if it cut a call off", async () => {
    const exitCodeWith = async (callsUnderWay: number) => {
      await using other = await start({ SLOW_MS: "600000" });
      const [host = "", port] = other.address.split(":");
      const to = { host, port: Number(port), ca: readFileSync(ca()), ALPNProtocols: ["h2"] };
      const silent = [connectTcp(to), connectTls(to)] as const;
      const env = { BAKERY_ADDRESS: other.address, BAKERY_CA: ca() };
      const frozen = startProgram(folder, "client.ts", ["watch"], env);
      using bakery = dial(other, "");
      try {
        await Promise.all([once(silent[0], "connect"), once(silent[1], "secureConnect")]);
        for (const socket of silent) socket.on("error", () => {});
        assert.ok(await frozen.until(() => frozen.lines().length >= 10, 20_000), frozen.output());
        frozen.kill("SIGSTOP");
        for (let call = 0; call < callsUnderWay; call++) {
          bakery.catalog.getProduct({ id: "rye" }, new Metadata(), soon(), () => {});
        }
        await check(bakery.health, ""); // One connection keeps order: the calls have arrived.
        other.program.kill("SIGTERM");
        // Without a timer of its own, the process would wait for these peers for over a minute.
        assert.ok(await other.program.ends(10_000), "still running");
        return other.program.exitCode;
      } finally {
        for (const socket of silent) socket.destroy();
        await frozen.stop(0);
      }
    };
    assert.deepEqual(await Promise.all([exitCodeWith(0), exitCodeWith(1)]), [0, 1]);
  });
});

describe("a server that drains", { skip: noSignals }, () => {
  it("loses no call of 200 a second whose client follows its health, and no stream", async () => {
    await using other = await start({ DRAIN_MS: "1000" });
    using bakery = dial(other, "");
    const health = collect(bakery.health.watch({ service: "" }, soon()));
    await eventually(() => health.messages.length > 0);
    const outcomes: Promise<unknown>[] = [];
    const poller = setInterval(() => {
      if (health.messages.at(-1)?.status !== "SERVING") return clearInterval(poller);
      const call = unaryCall<GetProductResponse>((done) =>
        bakery.catalog.getProduct({ id: "rye" }, new Metadata(), soon(), done),
      );
      outcomes.push(call.then(({ product }) => product?.id).catch(String));
    }, 5);
    const watches = [collect(bakery.catalog.watchProducts({ productIds: ["rye"] }, soon()))];
    await eventually(() => outcomes.length >= 100);
    other.program.kill("SIGTERM");
    await eventually(() => health.messages.at(-1)?.status === "NOT_SERVING");
    // Health is advisory: new calls and new streams are served until the server closes.
    watches.push(collect(bakery.catalog.watchProducts({ productIds: ["rye"] }, soon())));
    const order = unaryCall<GetProductResponse>((done) =>
      bakery.catalog.getProduct({ id: "rye" }, new Metadata(), soon(), done),
    );
    assert.equal((await order).product?.id, "rye");
    await eventually(() => watches.every(({ messages }) => messages.length > 0));
    assert.deepEqual([...new Set(await Promise.all(outcomes))], ["rye"]);
    assert.ok(await other.program.ends(5000));
    assert.equal(other.program.exitCode, 0);
    await eventually(() => watches.every((seen) => seen.status !== undefined));
    for (const { status: ended } of watches) assert.equal(ended?.details, "the bakery is closing");
    assert.deepEqual(statusesOf(health), ["SERVING", "NOT_SERVING"]);
  });

  it("is not SERVING again, whatever becomes ready meanwhile", async () => {
    await using other = await start({ WARMUP_MS: "1500", DRAIN_MS: "2500" });
    using bakery = dial(other, "");
    const watches = ["", ORDERS].map((service) =>
      collect(bakery.health.watch({ service }, soon())),
    );
    await eventually(() => watches.every(({ messages }) => messages.length > 0));
    other.program.kill("SIGTERM");
    assert.ok(await other.program.ends(30_000));
    await eventually(() => watches.every((seen) => seen.status !== undefined));
    const [whole, orders] = watches.map(statusesOf);
    assert.deepEqual(whole, ["SERVING", "NOT_SERVING"]);
    assert.equal(orders?.at(-1), "NOT_SERVING");
  });
});

describe("the closing interceptor", () => {
  const closing = new AbortController();
  const listeners = () => getEventListeners(closing.signal, "abort").length;
  let here: Server;
  let health: HealthClient;

  before(async () => {
    here = new Server({
      interceptors: [closingInterceptor({ closing: closing.signal, endsByItself: () => false })],
    });
    new HealthImplementation({ "": "SERVING" }).addToServer(here);
    health = new HealthClient(await listenHere(here), credentials.createInsecure());
  });

  after(() => {
    health?.close();
    here?.forceShutdown();
  });

  it("holds nothing for a stream that has ended, and nothing for a unary call", async () => {
    assert.equal((await check(health, "")).status, "SERVING");
    const call = health.watch({ service: "" }, soon());
    const seen = collect(call);
    await eventually(() => seen.messages.length > 0);
    assert.equal(listeners(), 1);
    call.cancel();
    await eventually(() => listeners() === 0);
  });

  it("ends a stream that comes when the server is closing already", async () => {
    closing.abort(new StatusError(status.UNAVAILABLE, "the bakery is closing"));
    const seen = collect(health.watch({ service: "" }, soon()));
    await eventually(() => seen.status !== undefined);
    assert.equal(seen.status?.details, "the bakery is closing");
  });
});

/** Asks reflection one thing, over either version: their messages are the same. */
async function reflect(
  version: "v1" | "v1alpha",
  request: { $case: "listServices" | "fileContainingSymbol"; value: string },
  running = server,
) {
  using bakery = dial(running, "");
  const call = bakery[version].serverReflectionInfo(new Metadata(), soon());
  call.write({ host: "", messageRequest: request });
  call.end();
  for await (const { messageResponse } of call) return messageResponse;
  return undefined;
}

async function filesFor(version: "v1" | "v1alpha", value: string): Promise<FileDescriptorProto[]> {
  const response = await reflect(version, { $case: "fileContainingSymbol", value });
  assert.equal(response?.$case, "fileDescriptorResponse");
  return response.value.fileDescriptorProto.map((file: Uint8Array) =>
    fromBinary(FileDescriptorProtoSchema, file),
  );
}

for (const version of ["v1", "v1alpha"] as const) {
  describe(`reflection ${version}`, () => {
    it("lists every service, health and itself too", async () => {
      const response = await reflect(version, { $case: "listServices", value: "" });
      assert.equal(response?.$case, "listServicesResponse");
      assert.deepEqual(
        response.value.service.map(({ name }: { name: string }) => name).sort(),
        SERVICES,
      );
    });

    for (const service of SERVICES) {
      it(`describes ${service}, with all that its file imports`, async () => {
        const files = await filesFor(version, service);
        const names = files.map(({ name }) => name);
        const missing = files
          .flatMap(({ dependency }) => dependency)
          .filter((name) => !names.includes(name));
        assert.deepEqual(missing, []);
        const described = files.flatMap(({ package: name, service }) =>
          service.map((one) => `${name}.${one.name}`),
        );
        assert.ok(described.includes(service), described.join());
      });
    }

    it("keeps imports, map fields and comments", async () => {
      const [orders] = await filesFor(version, ORDERS);
      assert.deepEqual(orders?.dependency, ["google/protobuf/timestamp.proto"]);
      const comments = orders?.sourceCodeInfo?.location.map((at) => at.leadingComments).join("");
      assert.match(comments ?? "", /Places an order/);
      const [health] = await filesFor(version, "grpc.health.v1.Health");
      const list = health?.messageType.find(({ name }) => name === "HealthListResponse");
      assert.equal(list?.nestedType[0]?.options?.mapEntry, true);
    });
  });
}

/** What a tool printed, and its exit code; undefined if there is no such tool. */
type ToolRun = readonly [output: string, exitCode: number | undefined];

function tool(file: string, args: readonly string[], input = ""): Promise<ToolRun> {
  return new Promise((resolve) => {
    const child = execFile(file, args, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code);
      resolve([`${stdout}${stderr}`, Number.isNaN(code) ? undefined : code]);
    });
    child.stdin?.on("error", () => {}); // It has ended without reading.
    child.stdin?.end(input);
  });
}

/** Calls every method of every kind through a tool that knows no proto files. */
async function callEverything(
  call: (method: string, input: string, seconds: number) => Promise<ToolRun>,
): Promise<void> {
  const lines = (...messages: object[]) =>
    messages.map((message) => JSON.stringify(message)).join("\n");
  const orderOf = (text: string) => /"id": "(order-\d+)"/.exec(text)?.[1] ?? "";
  const good = async (method: string, input: string) => {
    const [output, exitCode] = await call(method, input, 15);
    assert.equal(exitCode, 0, output);
    return output;
  };
  assert.match(await good(`${CATALOG}/GetProduct`, lines({ id: "rye" })), /"name": "Rye bread"/);
  assert.match(
    await good(`${CATALOG}/SearchProducts`, lines({ query: "bread" })),
    /"products": \[/,
  );
  const crate = { crate: { productId: "rye", units: 5 } };
  const restocked = await good(
    `${CATALOG}/RestockProducts`,
    lines(crate, crate, { deliveryNote: { crates: 2 } }),
  );
  assert.match(restocked, /"units": 10/);
  const order = { lines: [{ productId: "rye", quantity: 1 }] };
  const orderId = orderOf(await good(`${ORDERS}/CreateOrder`, lines(order)));
  const ping = { ping: { latitude: 48.2, longitude: 16.37 } };
  const tracked = await good(`${ORDERS}/TrackOrder`, lines({ start: { orderId } }, ping));
  assert.match(tracked, /DELIVERED/);
  assert.match(await good("grpc.health.v1.Health/Check", lines({ service: ORDERS })), /"SERVING"/);
  assert.match(await good("grpc.health.v1.Health/List", "{}"), /"bakery\.v1\.OrderService"/);
  for (const [method, request, first] of [
    [`${CATALOG}/WatchProducts`, { productIds: ["baguette"] }, /"productId": "baguette"/],
    ["grpc.health.v1.Health/Watch", {}, /"SERVING"/],
  ] as const) {
    const [output, exitCode] = await call(method, lines(request), 1); // Ended by its deadline.
    assert.match(output, first);
    assert.notEqual(exitCode, 0);
  }
  const [output, exitCode] = await call(`${CATALOG}/GetProduct`, lines({ id: "cake" }), 15);
  assert.match(output, /no product/);
  assert.notEqual(exitCode, 0);
}

describe("tools without proto files", { concurrency: 3 }, () => {
  for (const version of ["grpc-v1", "grpc-v1alpha"]) {
    it(`buf curl lists, describes and calls everything, over ${version}`, async () => {
      const buf = (url: string, args: readonly string[], input?: string) =>
        tool(
          process.execPath,
          [
            bufProgram,
            "curl",
            "--cacert",
            ca(),
            "--protocol",
            "grpc",
            "--reflect-protocol",
            version,
          ]
            .concat(args)
            .concat(`https://${server.address}${url}`),
          input,
        );
      assert.deepEqual(await buf("", ["--list-services"]), [`${SERVICES.join("\n")}\n`, 0]);
      const [methods] = await buf("", ["--list-methods"]);
      assert.equal(methods.trim().split("\n").length, 11);
      const bearer = ["-H", `authorization: Bearer ${token}`, "-d", "@-"];
      await callEverything((method, input, seconds) =>
        buf(`/${method}`, [...bearer, "--timeout", `${seconds}s`], input),
      );
    });
  }

  it("grpcurl lists, describes and calls everything", async (test) => {
    if ((await tool("grpcurl", ["-version"]))[1] !== 0) return test.skip("there is no grpcurl");
    const grpcurl = (args: readonly string[], input?: string) =>
      tool("grpcurl", ["-cacert", ca(), ...args], input);
    assert.deepEqual(await grpcurl([server.address, "list"]), [`${SERVICES.join("\n")}\n`, 0]);
    for (const service of SERVICES) {
      const [described, exitCode] = await grpcurl([server.address, "describe", service]);
      assert.match(described, new RegExp(`^${service} is a service:`));
      assert.equal(exitCode, 0);
    }
    assert.match((await grpcurl([server.address, "describe", ORDERS]))[0], /\/\/ Places an order/);
    const options = ["-H", `authorization: Bearer ${token}`, "-d", "@"];
    await callEverything((method, input, seconds) =>
      grpcurl([...options, "-max-time", String(seconds), server.address, method], input),
    );
  });
});

describe("REFLECTION=off", () => {
  it("hides what can be called, and nothing else", async () => {
    await using hidden = await start({ REFLECTION: "off" });
    const request = { $case: "listServices", value: "" } as const;
    for (const version of ["v1", "v1alpha"] as const) {
      await assert.rejects(reflect(version, request, hidden), { code: status.UNIMPLEMENTED });
    }
    assert.equal((await client(hidden, "health")).exitCode, 0);
    assert.equal((await client(hidden, "get", "rye")).exitCode, 0);
  });

  it("is the only other word that the server takes", async () => {
    const started = start({ REFLECTION: "false" }).then((running) => running.program.stop());
    await assert.rejects(started, /REFLECTION must be on or off/);
  });
});
