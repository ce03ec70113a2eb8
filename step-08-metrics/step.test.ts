// Step 08 over the wire: what the server and the client count of each call, and where it can be read.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { Metadata, status } from "@grpc/grpc-js";
import { Registry } from "prom-client";
import { growth, readSamples, type Sample } from "../shared/metrics/samples.ts";
import { noSignals, Program } from "../shared/testing/programs.ts";
import {
  type RunningServer,
  runClient,
  startProgram,
  startServer,
} from "../shared/testing/servers.ts";
import { channelSecurity } from "./client/channel-credentials.ts";
import { connect } from "./client/connection.ts";
import { unaryCall } from "./client/unary-call.ts";
import {
  CatalogServiceClient,
  CatalogServiceService,
  type GetProductResponse,
  type RestockProductsResponse,
} from "./gen/bakery/v1/catalog.ts";
import {
  type CreateOrderResponse,
  OrderServiceClient,
  OrderServiceService,
} from "./gen/bakery/v1/orders.ts";
import { HealthClient, HealthService } from "./gen/grpc/health/v1/health.ts";
import { ServerReflectionService } from "./gen/grpc/reflection/v1/reflection.ts";
import { ServerReflectionService as AlphaReflectionService } from "./gen/grpc/reflection/v1alpha/reflection.ts";
import { CallMetrics } from "./metrics/call-metrics.ts";

const folder = import.meta.dirname;
const CODES = Object.keys(status).filter((name) => Number.isNaN(Number(name)));
const METHODS = [
  CatalogServiceService,
  OrderServiceService,
  HealthService,
  ServerReflectionService,
  AlphaReflectionService,
].flatMap((service) => Object.values(service));
const soon = () => ({ deadline: Date.now() + 20_000 });

/** Keys and certificates of all servers here. */
let scratch: string;
let server: RunningServer;
/** The tokens of a baker and of a customer. */
let baker: string;
let customer: string;

before(async () => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "course-metrics-")));
  server = await start();
  [baker = "", customer = ""] = ["baker", "customer"].map((role) => {
    const args = ["--import", "tsx/esm", join(folder, "token.ts"), "--user", "ada", "--role", role];
    const env = { ...process.env, KEYS: join(scratch, "keys") };
    return spawnSync(process.execPath, args, { env, encoding: "utf8" }).stdout.trim();
  });
});

after(async () => {
  await server?.program.stop();
  rmSync(scratch, { recursive: true, force: true });
});

function settings() {
  return { CERTS: join(scratch, "certs"), KEYS: join(scratch, "keys") };
}

function start(env: NodeJS.ProcessEnv = {}): Promise<RunningServer> {
  return startServer(folder, { ...settings(), TILL_MS: "0", KITCHEN_MS: "20", ...env });
}

const ca = () => join(scratch, "certs", "ca.pem");
const security = (address: string, token: string) =>
  channelSecurity({ ca: ca(), cert: "", key: "", plaintext: false, token }, address);

/** Connects to a server as this step's client does, and counts there too. */
function dial({ address }: Pick<RunningServer, "address">, token = baker) {
  const registry = new Registry();
  const metrics = new CallMetrics(registry, "client", METHODS);
  const options = { deadlineMs: 0, verbose: false, security: security(address, token), metrics };
  const connection = connect(address, options);
  return {
    catalog: connection.stub(CatalogServiceClient),
    orders: connection.stub(OrderServiceClient),
    health: connection.stub(HealthClient),
    registry,
    [Symbol.dispose]: () => connection.close(),
  };
}

type Bakery = ReturnType<typeof dial>;

/** Where the metrics of a server are; it says so before it listens. */
function metricsUrl({ program }: RunningServer): string {
  const [, url] = /^metrics on (http:\S+)$/m.exec(program.output()) ?? [];
  assert.ok(url, `no metrics: ${program.output()}`);
  return url;
}

async function scrape(running: RunningServer): Promise<Sample[]> {
  return readSamples(await (await fetch(metricsUrl(running))).text());
}

const own = async ({ registry }: Bakery) => readSamples(await registry.metrics());

/** Returns what has been counted of a method, as `{ started: 1, OK: 1 }`, without what is 0. */
function countsOf(samples: readonly Sample[], side: "server" | "client", method: string) {
  const counts: Record<string, number> = {};
  for (const { name, labels, value } of samples) {
    const [, counted] = new RegExp(`^grpc_${side}_(.+?)(_total)?$`).exec(name) ?? [];
    if (counted === undefined || labels.grpc_method !== method || value === 0) continue;
    if (counted === "handled") counts[labels.grpc_code ?? "?"] = value;
    else if (counted === "started" || counted.startsWith("msg_")) counts[counted] = value;
    else if (counted === "handling_seconds_count") counts.timed = value;
  }
  return counts;
}

/**
 * Does something, waits until every call of the method has ended, and returns what both sides have
 * counted meanwhile.
 */
async function counted(method: string, act: (bakery: Bakery) => unknown, token?: string) {
  using bakery = dial(server, token);
  const earlier = await scrape(server);
  await act(bakery);
  const sides = await until(async () => {
    const grown = growth(earlier, await scrape(server));
    const serverSide = countsOf(grown, "server", method);
    const clientSide = countsOf(await own(bakery), "client", method);
    const over = [serverSide, clientSide].every(({ started, timed }) => started === timed);
    return over ? { server: serverSide, client: clientSide } : undefined;
  });
  return sides;
}

/** Asks until there is an answer. */
async function until<Answer>(ask: () => Promise<Answer | undefined>): Promise<Answer> {
  for (const deadline = Date.now() + 30_000; ; await setTimeout(10)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    assert.ok(Date.now() < deadline, "a call was begun and never ended");
  }
}

const getProduct = ({ catalog }: Pick<Bakery, "catalog">, id = "rye", options: object = soon()) =>
  unaryCall<GetProductResponse>((done) =>
    catalog.getProduct({ id }, new Metadata(), options, done),
  );

const createOrder = ({ orders }: Bakery) =>
  unaryCall<CreateOrderResponse>((done) => {
    const lines = [{ productId: "croissant", quantity: 1 }];
    orders.createOrder({ lines }, new Metadata(), soon(), done);
  });

const fails = (call: Promise<unknown>, code: status) => assert.rejects(call, { code });

/** Sends bytes that the generated code would not send. */
function sendBytes(
  { catalog }: Bakery,
  bytes: Buffer,
  path = "/bakery.v1.CatalogService/GetProduct",
) {
  return unaryCall<Buffer>((done) => {
    const same = (buffer: Buffer) => buffer;
    catalog.makeUnaryRequest(path, same, same, bytes, new Metadata(), soon(), done);
  });
}

describe("the page", () => {
  it("has every method with every status from the start, at 0, under the names that all use", async () => {
    await using fresh = await start();
    const samples = await scrape(fresh);
    const countOf = (name: string, wanted: Record<string, string>) =>
      samples.find((one) => {
        const matches = Object.entries(wanted).every(([label, text]) => one.labels[label] === text);
        return one.name === name && matches;
      })?.value;
    for (const { path, requestStream, responseStream } of METHODS) {
      const [, grpc_service = "", grpc_method = ""] = path.split("/");
      const kind = `${requestStream}-${responseStream}`;
      const grpc_type =
        { "false-false": "unary", "false-true": "server_stream", "true-false": "client_stream" }[
          kind
        ] ?? "bidi_stream";
      const method = { grpc_type, grpc_service, grpc_method };
      for (const name of ["started", "msg_received", "msg_sent"]) {
        assert.equal(countOf(`grpc_server_${name}_total`, method), 0, path);
      }
      for (const grpc_code of CODES) {
        assert.equal(countOf("grpc_server_handled_total", { ...method, grpc_code }), 0, path);
      }
      for (const le of ["0.001", "2.5", "+Inf"]) {
        assert.equal(countOf("grpc_server_handling_seconds_bucket", { ...method, le }), 0, path);
      }
    }
    assert.equal(CODES.length, 17);
    assert.equal(METHODS.length, 11);
  });

  it("tells what the process uses", async () => {
    const names = (await scrape(server)).map(({ name }) => name);
    for (const name of ["process_cpu_seconds_total", "nodejs_eventloop_lag_seconds"]) {
      assert.ok(names.includes(name), name);
    }
  });

  it("is in the format that Prometheus reads, at /metrics alone", async () => {
    const url = metricsUrl(server);
    const response = await fetch(url);
    assert.deepEqual(
      [response.status, response.headers.get("content-type")],
      [200, "text/plain; version=0.0.4; charset=utf-8"],
    );
    assert.match(await response.text(), /^# TYPE grpc_server_handling_seconds histogram$/m);
    assert.equal((await fetch(`${url}?format=text`)).status, 200);
    assert.equal((await fetch(new URL("/", url))).status, 404);
    assert.equal((await fetch(url, { method: "POST" })).status, 404);
  });
});

describe("a call", () => {
  const both = (counts: Record<string, number>) => ({ server: counts, client: counts });
  const once = { started: 1, timed: 1 };

  it("that is answered", async () => {
    assert.deepEqual(await counted("GetProduct", (bakery) => getProduct(bakery)), {
      server: { ...once, msg_received: 1, msg_sent: 1, OK: 1 },
      client: { ...once, msg_received: 1, msg_sent: 1, OK: 1 },
    });
  });

  it("that fails", async () => {
    const seen = await counted("GetProduct", (bakery) =>
      fails(getProduct(bakery, "cake"), status.NOT_FOUND),
    );
    assert.deepEqual(seen.server, { ...once, msg_received: 1, NOT_FOUND: 1 });
    assert.deepEqual(seen.client, { ...once, msg_sent: 1, NOT_FOUND: 1 });
  });

  it("that an interceptor refuses", async () => {
    const nobody = await counted(
      "CreateOrder",
      (bakery) => fails(createOrder(bakery), status.UNAUTHENTICATED),
      "",
    );
    assert.deepEqual(nobody.server, { ...once, UNAUTHENTICATED: 1 });
    const mayNot = await counted(
      "RestockProducts",
      ({ catalog }) =>
        fails(
          unaryCall((done) => catalog.restockProducts(new Metadata(), soon(), done).end()),
          status.PERMISSION_DENIED,
        ),
      customer,
    );
    assert.deepEqual(mayNot.server, { ...once, PERMISSION_DENIED: 1 });
    assert.deepEqual(mayNot.client, { ...once, PERMISSION_DENIED: 1 });
  });

  it("whose message can't be read, or is too large, though grpc-js itself refuses it", async () => {
    for (const [bytes, code] of [
      [Buffer.from([0xff]), "INTERNAL"],
      [Buffer.alloc(100_000), "RESOURCE_EXHAUSTED"],
    ] as const) {
      const seen = await counted("GetProduct", (bakery) =>
        fails(sendBytes(bakery, bytes), status[code]),
      );
      assert.deepEqual(seen.server, { ...once, [code]: 1 });
      assert.deepEqual(seen.client, { ...once, msg_sent: 1, [code]: 1 });
    }
  });

  it("that streams to the client, until it leaves", async () => {
    const seen = await counted("WatchProducts", async ({ catalog }) => {
      const call = catalog.watchProducts({ productIds: ["rye", "baguette"] }, soon());
      let messages = 0;
      const read = async () => {
        for await (const _ of call) if (++messages === 2) call.cancel();
      };
      await fails(read(), status.CANCELLED);
    });
    assert.deepEqual(seen.server, { ...once, msg_received: 1, msg_sent: 2, CANCELLED: 1 });
    assert.deepEqual(seen.client, { ...once, msg_received: 2, msg_sent: 1, CANCELLED: 1 });
  });

  it("that streams to the client, until its deadline", async () => {
    // Where this machine stalls, the server's deadline is later than the client's, and it takes the
    // client's end for a cancel.
    let right = 0;
    for (let time = 0; time < 10; time++) {
      const seen = await counted("WatchProducts", async ({ catalog }) => {
        const options = { deadline: Date.now() + 200 };
        const read = async () => {
          for await (const _ of catalog.watchProducts({ productIds: ["rye"] }, options));
        };
        await fails(read(), status.DEADLINE_EXCEEDED);
      });
      assert.equal(seen.client.DEADLINE_EXCEEDED, 1);
      const expected = { ...once, msg_received: 1, msg_sent: 1, DEADLINE_EXCEEDED: 1 };
      if (isDeepStrictEqual(seen.server, expected)) right++;
    }
    assert.ok(right >= 7, `${right} of 10`);
  });

  const crate = { content: { $case: "crate", value: { productId: "rye", units: 1 } } } as const;
  const note = { content: { $case: "deliveryNote", value: { crates: 2 } } } as const;

  it("that streams to the server", async () => {
    const seen = await counted("RestockProducts", ({ catalog }) =>
      unaryCall<RestockProductsResponse>((done) => {
        const call = catalog.restockProducts(new Metadata(), soon(), done);
        for (const message of [crate, crate, note]) call.write(message);
        call.end();
      }),
    );
    assert.deepEqual(seen.server, { ...once, msg_received: 3, msg_sent: 1, OK: 1 });
    assert.deepEqual(seen.client, { ...once, msg_received: 1, msg_sent: 3, OK: 1 });
  });

  it("that streams to the server, and is cancelled", async () => {
    const seen = await counted("RestockProducts", async (bakery) => {
      const earlier = await scrape(server);
      const call = bakery.catalog.restockProducts(new Metadata(), soon(), () => {});
      call.write(crate);
      await until(async () => {
        const grown = growth(earlier, await scrape(server));
        return countsOf(grown, "server", "RestockProducts").msg_received;
      });
      call.cancel();
    });
    assert.deepEqual(seen.client, { ...once, msg_sent: 1, CANCELLED: 1 });
    // grpc-js sends the end of an upload before the cancel. If the handler gets to see that end, it
    // refuses the delivery, which has no note.
    const { CANCELLED = 0, INVALID_ARGUMENT = 0, ...others } = seen.server;
    assert.deepEqual([others, CANCELLED + INVALID_ARGUMENT], [{ ...once, msg_received: 1 }, 1]);
  });

  it("that streams both ways", async () => {
    let updates = 0;
    const seen = await counted("TrackOrder", async (bakery) => {
      const { order } = await createOrder(bakery);
      const call = bakery.orders.trackOrder(soon());
      call.write({ content: { $case: "start", value: { orderId: order?.id ?? "" } } });
      call.write({ content: { $case: "ping", value: { latitude: 48, longitude: 16 } } });
      call.end();
      for await (const _ of call) updates++;
    });
    assert.deepEqual(seen.server, { ...once, msg_received: 2, msg_sent: updates, OK: 1 });
    assert.deepEqual(seen.client, { ...once, msg_received: updates, msg_sent: 2, OK: 1 });
  });

  it("of a service that isn't ours", async () => {
    const seen = await counted("Check", ({ health }) =>
      unaryCall((done) => health.check({ service: "" }, new Metadata(), soon(), done)),
    );
    assert.deepEqual(seen, both({ ...once, msg_received: 1, msg_sent: 1, OK: 1 }));
  });

  it("ends once, also one of 100 that are cancelled at any moment", async () => {
    const seen = await counted("GetProduct", async ({ catalog, health }) => {
      // It connects, so that the calls below go out at once.
      await unaryCall((done) => health.check({ service: "" }, new Metadata(), soon(), done));
      const calls = Array.from({ length: 100 }, async (_, at) => {
        const outcome = new Promise<void>((resolve) => {
          const call = catalog.getProduct({ id: "rye" }, new Metadata(), soon(), () => resolve());
          if (at % 10 === 0) call.cancel();
          else setTimeout(at / 10).then(() => call.cancel());
        });
        await outcome;
      });
      await Promise.all(calls);
    });
    const { OK = 0, CANCELLED = 0 } = seen.client;
    assert.deepEqual([seen.client.started, OK + CANCELLED], [100, 100]);
    const ends = CODES.reduce((sum, code) => sum + (seen.server[code] ?? 0), 0);
    assert.ok(ends > 0);
    assert.equal(ends, seen.server.started);
  });

  it("that a client could never send is counted by that client", async () => {
    using nowhere = dial({ address: "127.0.0.1:1" });
    await fails(getProduct(nowhere), status.UNAVAILABLE);
    const expected = { ...once, UNAVAILABLE: 1 };
    const { msg_sent: _, ...seen } = countsOf(await own(nowhere), "client", "GetProduct");
    assert.deepEqual(seen, expected);
  });
});

describe("calls for what there is not", () => {
  it("are counted, and make no series", async () => {
    const unknown = (samples: readonly Sample[]) =>
      samples.find(({ name }) => name === "grpc_server_unknown_total")?.value;
    const earlier = await scrape(server);
    using bakery = dial(server);
    for (let at = 0; at < 7; at++) {
      const call = sendBytes(bakery, Buffer.alloc(0), `/bakery.v1.CatalogService/Nope${at}`);
      await fails(call, status.UNIMPLEMENTED);
    }
    await getProduct(bakery);
    const later = await scrape(server);
    assert.deepEqual([unknown(earlier), unknown(growth(earlier, later))], [0, 7]);
    const series = (samples: readonly Sample[]) =>
      samples.filter(({ name }) => name.startsWith("grpc_")).length;
    assert.equal(series(later), series(earlier));
  });

  it("are counted when they aren't gRPC at all", async () => {
    const earlier = await scrape(server);
    const session = connectHttp2(`https://${server.address}`, { ca: readFileSync(ca()) });
    const request = session.request({
      ":method": "POST",
      ":path": "/bakery.v1.CatalogService/GetProduct",
      "content-type": "text/plain",
    });
    request.end();
    const code = await new Promise((resolve) => {
      request.on("response", (headers) => resolve(headers[":status"]));
    });
    session.destroy();
    const [unknown] = growth(earlier, await scrape(server)).filter(
      ({ name }) => name === "grpc_server_unknown_total",
    );
    assert.deepEqual([code, unknown?.value], [415, 1]);
  });
});

describe("a unary call that takes long", () => {
  it("ends for its client's deadline, or cancel, and is timed", async () => {
    await using slow = await start({ SLOW_MS: "60000" });
    using bakery = dial(slow);
    // It connects, so that the deadline is over for nothing else.
    await unaryCall((done) => bakery.health.check({ service: "" }, new Metadata(), soon(), done));
    const call = getProduct(bakery, "rye", { deadline: Date.now() + 300 });
    await fails(call, status.DEADLINE_EXCEEDED);
    const left = bakery.catalog.getProduct({ id: "rye" }, new Metadata(), soon(), () => {});
    await until(async () => {
      const { started } = countsOf(await scrape(slow), "server", "GetProduct");
      return started === 2 || undefined;
    });
    left.cancel();
    const samples = await until(async () => {
      const now = await scrape(slow);
      return countsOf(now, "server", "GetProduct").timed === 2 ? now : undefined;
    });
    assert.deepEqual(countsOf(samples, "server", "GetProduct"), {
      started: 2,
      msg_received: 2,
      DEADLINE_EXCEEDED: 1,
      CANCELLED: 1,
      timed: 2,
    });
    const sum = samples.find(
      ({ name, labels }) =>
        name === "grpc_server_handling_seconds_sum" && labels.grpc_method === "GetProduct",
    );
    assert.ok((sum?.value ?? 0) > 0.25 && (sum?.value ?? 0) < 20, `${sum?.value} s`);
  });
});

describe("METRICS_PORT", () => {
  /** Starts a server that should end by itself. Returns what it printed, and its exit code. */
  async function endOf(env: NodeJS.ProcessEnv) {
    const program = startProgram(folder, "server.ts", [], { ...settings(), ...env });
    try {
      assert.ok(await program.ends(10_000), `still running: ${program.output()}`);
      return { output: program.output(), exitCode: program.exitCode };
    } finally {
      await program.stop();
    }
  }

  it("off serves no page, and calls as ever", async () => {
    await using silent = await start({ METRICS_PORT: "off" });
    assert.doesNotMatch(silent.program.output(), /metrics on/);
    assert.match(server.program.output(), /^metrics on http:\/\/127\.0\.0\.1:\d+\/metrics$/m);
    using bakery = dial(silent);
    assert.equal((await getProduct(bakery)).product?.id, "rye");
  });

  it("that is taken is an error that says so, and the end", async () => {
    const { output, exitCode } = await endOf({ METRICS_PORT: new URL(metricsUrl(server)).port });
    const expected =
      /^cannot serve metrics on 127\.0\.0\.1:\d+: the port is in use; [^\n]+ METRICS_PORT\n$/;
    assert.match(output, expected);
    assert.equal(exitCode, 1);
  });

  it("keeps no server alive that can't listen for calls", async () => {
    const { output, exitCode } = await endOf({ PORT: server.address.split(":")[1] });
    assert.match(output, /^metrics on .+\n[\s\S]*cannot listen on/m);
    assert.equal(exitCode, 1);
  });

  it("is checked", async () => {
    const { output, exitCode } = await endOf({ METRICS_PORT: "of" });
    assert.match(output, /^METRICS_PORT must be a port or off, not "of"\n/);
    assert.equal(exitCode, 2);
  });
});

describe("a server that closes", { skip: noSignals }, () => {
  it("shows the page until its last call has ended, and doesn't wait for who reads it", async () => {
    await using other = await start({ SLOW_MS: "1500" });
    using bakery = dial(other);
    const url = metricsUrl(other);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    using _ = { [Symbol.dispose]: () => agent.destroy() };
    // As Prometheus does, over one connection that stays open.
    const read = () =>
      new Promise<Sample[]>((resolve, reject) => {
        get(url, { agent }, async (response) => {
          resolve(readSamples(Buffer.concat(await response.toArray()).toString()));
        }).on("error", reject);
      });
    const watch = bakery.catalog.watchProducts({ productIds: ["rye"] }, soon());
    watch.on("error", () => {}).resume();
    const call = getProduct(bakery);
    await until(async () => countsOf(await read(), "server", "GetProduct").msg_received);
    other.program.kill("SIGTERM");
    const closing = await until(async () => {
      const samples = await read();
      return countsOf(samples, "server", "WatchProducts").timed ? samples : undefined;
    });
    assert.equal(countsOf(closing, "server", "WatchProducts").UNAVAILABLE, 1);
    assert.deepEqual(countsOf(closing, "server", "GetProduct"), { started: 1, msg_received: 1 });
    assert.equal((await call).product?.id, "rye");
    assert.ok(await other.program.ends(3000), "still running: it waits for a reader of metrics");
    assert.equal(other.program.exitCode, 0);
  });
});

describe("a rush", () => {
  const env = () => ({
    BAKERY_ADDRESS: server.address,
    BAKERY_CA: ca(),
    BAKERY_TOKEN: baker,
  });

  it("makes the same calls every time, and the server counts them all", async () => {
    const earlier = await scrape(server);
    const args = ["--rounds", "3", "--rate", "100"];
    const { stdout, stderr, exitCode } = await runClient(folder, args, env(), "rush.ts");
    assert.deepEqual([stderr, exitCode], ["", 0]);
    assert.match(stdout, /^72 of 72 calls {2}OK 63 {2}(\w+ 3 {0,2}){3}\n$/m);
    const grown = growth(earlier, await scrape(server));
    const expected = {
      GetProduct: { OK: 36 },
      SearchProducts: { OK: 18 },
      RestockProducts: { OK: 3 },
      CreateOrder: { OK: 3, NOT_FOUND: 3 },
      TrackOrder: { OK: 3 },
    };
    for (const [method, counts] of Object.entries(expected)) {
      const { started, timed, msg_received, msg_sent, ...codes } = countsOf(
        grown,
        "server",
        method,
      );
      assert.deepEqual(codes, counts);
    }
    const watches = countsOf(grown, "server", "WatchProducts");
    assert.deepEqual([watches.started, watches.timed], [6, 6]);
  });

  it("of guesses asks for as many products that don't exist", async () => {
    const earlier = await scrape(server);
    const args = ["--guesses", "30", "--rate", "500"];
    const { stdout, exitCode } = await runClient(folder, args, env(), "rush.ts");
    assert.deepEqual([stdout, exitCode], ["30 of 30 calls  NOT_FOUND 30\n", 0]);
    const later = await scrape(server);
    const { NOT_FOUND } = countsOf(growth(earlier, later), "server", "GetProduct");
    const series = (samples: readonly Sample[]) =>
      samples.filter(({ name }) => name.startsWith("grpc_")).length;
    assert.deepEqual([NOT_FOUND, series(later)], [30, series(earlier)]);
  });

  it("shows its own metrics meanwhile", async () => {
    const program = startProgram(folder, "rush.ts", ["--metrics-port", "0"], env());
    await using _ = { [Symbol.asyncDispose]: () => program.stop() };
    const url = () => /^metrics on (\S+)$/m.exec(program.output())?.[1];
    assert.ok(await program.until(() => url() !== undefined, 20_000), program.output());
    const seen = await until(async () => {
      const samples = readSamples(await (await fetch(url() ?? "")).text());
      return countsOf(samples, "client", "SearchProducts").OK === undefined ? undefined : samples;
    });
    assert.equal(countsOf(seen, "client", "SearchProducts").UNAVAILABLE, undefined);
  });

  it("against a server that isn't there counts failures, and ends", async () => {
    const nowhere = { ...env(), BAKERY_ADDRESS: "127.0.0.1:1" };
    const args = ["--rounds", "1", "--rate", "200"];
    const { stdout, exitCode } = await runClient(folder, args, nowhere, "rush.ts");
    assert.match(stdout, /^24 of 24 calls {2}.*UNAVAILABLE \d+/m);
    assert.equal(exitCode, 0);
  });
});

/** Why a test is skipped that needs one of Prometheus's programs; false if it is here. */
const without = (program: string) =>
  spawnSync(program, ["--version"]).status !== 0 && `there is no ${program}`;
const rules = join(folder, "prometheus");
const grpc_service = "bakery.v1.CatalogService";

describe("Prometheus", () => {
  it("takes the configuration", { skip: without("promtool") }, () => {
    const checked = spawnSync("promtool", ["check", "config", "prometheus.yml"], { cwd: rules });
    assert.equal(checked.status, 0, String(checked.stderr));
  });

  it("computes from made-up series what the rules are tested for", {
    skip: without("promtool"),
  }, () => {
    const tested = spawnSync("promtool", ["test", "rules", "rules.test.yml"], { cwd: rules });
    assert.equal(tested.status, 0, `${tested.stdout}${tested.stderr}`);
  });

  it("reads the server, and has an answer for every rule", {
    skip: without("prometheus"),
  }, async () => {
    await using bakeryServer = await start();
    const target = new URL(metricsUrl(bakeryServer)).host;
    const config = readFileSync(join(rules, "prometheus.yml"), "utf8")
      .replace("127.0.0.1:9464", target)
      .replaceAll(": 2s", ": 1s")
      .replace("rules.yml", join(rules, "rules.yml"));
    const file = join(scratch, "prometheus.yml");
    writeFileSync(file, config);
    const options = ["--web.listen-address=127.0.0.1:0", `--storage.tsdb.path=${scratch}/tsdb`];
    const args = [`--config.file=${file}`, ...options];
    const program = new Program({
      file: "prometheus",
      args,
      cwd: scratch,
      env: { PATH: process.env.PATH },
    });
    await using _ = { [Symbol.asyncDispose]: () => program.stop() };
    const address = () => /"Listening on".* address=(\S+)/.exec(program.output())?.[1];
    const ready = () => /Server is ready/.test(program.output());
    assert.ok(await program.until(ready, 30_000), program.output());
    const query = async (expression: string) => {
      const url = `http://${address()}/api/v1/query?query=${encodeURIComponent(expression)}`;
      const { data } = JSON.parse(await (await fetch(url)).text());
      return data?.result ?? [];
    };

    const scraped = 'up{job="bakery"} == 1 and on() count(grpc_server_started_total) == 11';
    await until(async () => ((await query(scraped)).length > 0 ? true : undefined));
    using bakery = dial(bakeryServer);
    for (let calls = 0; calls < 9; calls++) await getProduct(bakery);
    await fails(sendBytes(bakery, Buffer.from([0xff])), status.INTERNAL);
    for (const [rule, labels, low, high] of [
      ["method:grpc_server_handled:rate1m", { grpc_method: "GetProduct" }, 0.01, 10],
      ["service:grpc_server_faults:ratio1m", {}, 0.099, 0.101],
      ["method:grpc_server_handling_seconds:p99_1m", { grpc_method: "GetProduct" }, 0.0005, 2.5],
      ["ALERTS", { alertname: "BakeryFails", alertstate: "pending" }, 1, 1],
    ] as const) {
      const wanted = Object.entries({ ...labels, ...(rule === "ALERTS" ? {} : { grpc_service }) });
      const expression = `${rule}{${wanted.map(([label, text]) => `${label}="${text}"`)}} > 0`;
      const [found] = await until(async () => {
        const results = await query(expression);
        return results.length > 0 ? results : undefined;
      });
      const value = Number(found?.value[1]);
      assert.ok(value >= low && value <= high, `${expression}: ${value}`);
    }
  });
});
