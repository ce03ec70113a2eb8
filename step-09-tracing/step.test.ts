// Step 09 over the wire: which spans a call leaves at a collector, and what happens if that is away.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Metadata, status } from "@grpc/grpc-js";
import {
  eventually,
  type RunningServer,
  runClient,
  startServer,
} from "../shared/testing/servers.ts";
import { noSignals, Program } from "../shared/testing/programs.ts";
import { readSettings } from "../shared/terminal/settings.ts";
import { collector, type Span } from "../shared/traces/spans.ts";
import { channelSecurity } from "./client/channel-credentials.ts";
import { connect } from "./client/connection.ts";
import { unaryCall } from "./client/unary-call.ts";
import { CatalogServiceClient, type GetProductResponse } from "./gen/bakery/v1/catalog.ts";
import { type CreateOrderResponse, OrderServiceClient } from "./gen/bakery/v1/orders.ts";
import { traced } from "./tracing/traced.ts";
import { startTracing } from "./tracing/tracing.ts";
import { tracingVariables } from "./tracing/variables.ts";

const folder = import.meta.dirname;
const GET = "bakery.v1.CatalogService/GetProduct";
const soon = () => ({ deadline: Date.now() + 20_000 });

/** Keys and certificates of all servers here. */
let scratch: string;
/** The token of a baker. */
let token: string;
/** A collector of this test's own, and all spans that it was sent. */
let collecting: Server;
let endpoint: string;
const spans: Span[] = [];
let server: RunningServer;
/** Tracing in this process, too: it makes calls as the client does. */
let flush: () => Promise<void>;

before(async () => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "course-tracing-")));
  [collecting, endpoint] = await collect((received) => spans.push(...received));
  server = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, SLOW_MS: "20" });
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
  const variables = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_BSP_SCHEDULE_DELAY: "20" };
  ({ flush } = await startTracing("test", readSettings(tracingVariables, [], variables)));
});

after(async () => {
  await flush?.();
  await server?.program.stop();
  collecting?.close();
  collecting?.closeAllConnections();
  rmSync(scratch, { recursive: true, force: true });
});

/** Starts a collector on a free port. Returns it, and where it is. */
async function collect(receive: (spans: Span[]) => void): Promise<[Server, string]> {
  const listening = collector(receive);
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  return [listening, urlOf(listening)];
}

function urlOf(listening: { address(): string | { port: number } | null }): string {
  const address = listening.address();
  assert.ok(typeof address === "object" && address !== null);
  return `http://127.0.0.1:${address.port}`;
}

const settings = () => ({ CERTS: join(scratch, "certs"), KEYS: join(scratch, "keys") });
const ca = () => join(scratch, "certs", "ca.pem");

function start(env: NodeJS.ProcessEnv = {}): Promise<RunningServer> {
  const quick = { TILL_MS: "0", KITCHEN_MS: "20", OTEL_BSP_SCHEDULE_DELAY: "20" };
  return startServer(folder, { ...settings(), ...quick, ...env });
}

/** Connects to a server as this step's client does. */
function dial({ address }: Pick<RunningServer, "address">, user = token) {
  const security = channelSecurity(
    { ca: ca(), cert: "", key: "", plaintext: false, token: user },
    address,
  );
  const connection = connect(address, { deadlineMs: 0, verbose: false, security, tracing: true });
  return {
    catalog: connection.stub(CatalogServiceClient),
    orders: connection.stub(OrderServiceClient),
    [Symbol.dispose]: () => connection.close(),
  };
}

type Bakery = ReturnType<typeof dial>;

const getProduct = (
  { catalog }: Bakery,
  { id = "rye", metadata = new Metadata(), options = soon() as object } = {},
) => unaryCall<GetProductResponse>((done) => catalog.getProduct({ id }, metadata, options, done));

const fails = (call: Promise<unknown>, code: status) => assert.rejects(call, { code });

/** Runs the command line against a server, with the test's collector unless `env` says otherwise. */
function run({ address }: RunningServer, args: string[], env: NodeJS.ProcessEnv = {}) {
  const own = { BAKERY_CA: ca(), BAKERY_TOKEN: token, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
  return runClient(folder, [...args, "--address", address], { ...own, ...env });
}

/** Waits until the spans of a trace have come, and returns them by depth: the parent first. */
async function trace(traceId: string, count: number): Promise<Span[]> {
  const found = () => spans.filter((span) => span.traceId === traceId);
  await eventually(() => found().length >= count);
  const depth = (span: Span): number => {
    const parent = found().find(({ spanId }) => spanId === span.parentSpanId);
    return parent === undefined ? 0 : 1 + depth(parent);
  };
  return found().sort((one, other) => depth(one) - depth(other));
}

/** Makes calls inside a span of this test's own, and returns the trace that they leave. */
async function traceOf(count: number, act: (bakery: Bakery) => unknown, user?: string) {
  const name = `test ${Math.random()}`;
  using bakery = dial(server, user);
  await traced(name, async () => {
    await act(bakery);
  });
  await eventually(() => spans.some((span) => span.name === name));
  const traceId = spans.find((span) => span.name === name)?.traceId ?? "";
  const [root, ...others] = await trace(traceId, count + 1);
  assert.equal(others.length, count, JSON.stringify(others, null, 1));
  return { traceId, root, others };
}

const brief = ({ name, kind, error, attributes }: Span) => {
  const code = attributes["rpc.response.status_code"];
  return [name.split("/").at(-1), kind, code, error === undefined ? "" : "error"].join(" ").trim();
};

const messages = ({ events }: Span) =>
  events.map(({ name, attributes }) => {
    assert.equal(name, "rpc.message");
    return `${attributes["rpc.message.type"]} ${attributes["rpc.message.id"]}`;
  });

describe("a call", () => {
  it("is one trace, from the command to the work inside the handler", async () => {
    const { stdout, exitCode } = await run(server, ["get", "rye"]);
    assert.deepEqual([exitCode, stdout.split("\n")[0]], [0, "ID: rye"]);
    const logged = () => /GetProduct OK .* trace=([0-9a-f]{32})$/m.exec(server.program.output());
    await eventually(() => logged() !== null);
    const found = await trace(logged()?.[1] ?? "", 4);
    assert.deepEqual(
      found.map(({ service, name, kind }) => `${service} ${name} ${kind}`),
      [
        "bakery-client client get internal",
        `bakery-client ${GET} client`,
        `bakery-server ${GET} server`,
        "bakery-server database internal",
      ],
    );
    const [, client, served, database] = found;
    const [host, port] = server.address.split(":");
    for (const span of [client, served]) {
      assert.deepEqual(span?.attributes, {
        "rpc.system.name": "grpc",
        "rpc.method": GET,
        "rpc.response.status_code": "OK",
        "server.address": span === client ? host : span?.attributes["server.address"],
        "server.port": port,
      });
      assert.deepEqual([span?.error, span?.events], [undefined, []]);
    }
    assert.ok((database?.durationMs ?? 0) >= 19, "the slow database shows");
  });

  it("that fails is an error to its client, and to a server only if that is to blame", async () => {
    const missing = await traceOf(2, (bakery) =>
      fails(getProduct(bakery, { id: "cake" }), status.NOT_FOUND),
    );
    assert.deepEqual(missing.others.map(brief), [
      "GetProduct client NOT_FOUND error",
      "GetProduct server NOT_FOUND",
    ]);
    assert.match(missing.others[0]?.error ?? "", /^no product "cake"/);
    assert.equal(missing.others[0]?.attributes["error.type"], "NOT_FOUND");
    // grpc-js itself refuses what it can't decode.
    const unreadable = await traceOf(2, ({ catalog }) => {
      const same = (buffer: Buffer) => buffer;
      const call = unaryCall<Buffer>((done) => {
        const bytes = Buffer.from([0xff]);
        catalog.makeUnaryRequest(`/${GET}`, same, same, bytes, new Metadata(), soon(), done);
      });
      return fails(call, status.INTERNAL);
    });
    assert.deepEqual(unreadable.others.map(brief), [
      "GetProduct client INTERNAL error",
      "GetProduct server INTERNAL error",
    ]);
    assert.equal(unreadable.others[1]?.attributes["error.type"], "INTERNAL");
  });

  it("that an interceptor refuses", async () => {
    const refused = await traceOf(
      2,
      ({ catalog }) =>
        fails(
          unaryCall((done) => catalog.restockProducts(new Metadata(), soon(), done).end()),
          status.UNAUTHENTICATED,
        ),
      "",
    );
    assert.deepEqual(refused.others.map(brief), [
      "RestockProducts client UNAUTHENTICATED error",
      "RestockProducts server UNAUTHENTICATED",
    ]);
  });

  it("that streams to the client, until it leaves", async () => {
    const left = await traceOf(2, async ({ catalog }) => {
      const call = catalog.watchProducts({ productIds: ["rye", "baguette"] }, soon());
      let seen = 0;
      const read = async () => {
        for await (const _ of call) if (++seen === 2) call.cancel();
      };
      await fails(read(), status.CANCELLED);
    });
    assert.deepEqual(left.others.map(brief), [
      "WatchProducts client CANCELLED error",
      "WatchProducts server CANCELLED",
    ]);
    assert.deepEqual(left.others.map(messages), [
      ["SENT 1", "RECEIVED 1", "RECEIVED 2"],
      ["RECEIVED 1", "SENT 1", "SENT 2"],
    ]);
  });

  it("that streams to the client, until its deadline", async () => {
    const late = await traceOf(2, async ({ catalog }) => {
      const options = { deadline: Date.now() + 150 };
      const read = async () => {
        for await (const _ of catalog.watchProducts({ productIds: ["rye"] }, options));
      };
      await fails(read(), status.DEADLINE_EXCEEDED);
    });
    assert.deepEqual(late.others.map(brief), [
      "WatchProducts client DEADLINE_EXCEEDED error",
      "WatchProducts server DEADLINE_EXCEEDED error",
    ]);
  });

  it("that streams to the server", async () => {
    const restocked = await traceOf(2, ({ catalog }) =>
      unaryCall((done) => {
        const call = catalog.restockProducts(new Metadata(), soon(), done);
        call.write({ content: { $case: "crate", value: { productId: "rye", units: 1 } } });
        call.write({ content: { $case: "deliveryNote", value: { crates: 1 } } });
        call.end();
      }),
    );
    assert.deepEqual(restocked.others.map(brief), [
      "RestockProducts client OK",
      "RestockProducts server OK",
    ]);
    assert.deepEqual(restocked.others.map(messages), [
      ["SENT 1", "SENT 2", "RECEIVED 1"],
      ["RECEIVED 1", "RECEIVED 2", "SENT 1"],
    ]);
  });

  it("that streams both ways is beside the call before it, in one trace", async () => {
    let updates = 0;
    const tracked = await traceOf(4, async ({ orders }) => {
      const lines = [{ productId: "croissant", quantity: 1 }];
      const { order } = await unaryCall<CreateOrderResponse>((done) =>
        orders.createOrder({ lines }, new Metadata(), soon(), done),
      );
      const call = orders.trackOrder(soon());
      call.write({ content: { $case: "start", value: { orderId: order?.id ?? "" } } });
      call.end();
      for await (const _ of call) updates++;
    });
    assert.deepEqual(tracked.others.map(brief).sort(), [
      "CreateOrder client OK",
      "CreateOrder server OK",
      "TrackOrder client OK",
      "TrackOrder server OK",
    ]);
    const clients = tracked.others.filter(({ kind }) => kind === "client");
    for (const { parentSpanId } of clients) assert.equal(parentSpanId, tracked.root?.spanId);
    const both = tracked.others.filter(({ name }) => name.endsWith("TrackOrder"));
    for (const span of both) assert.equal(messages(span).length, 1 + updates);
  });

  it("keeps what happens in it apart from other calls on the same connection", async () => {
    const many = await traceOf(60, (bakery) =>
      Promise.all(Array.from({ length: 20 }, () => getProduct(bakery))),
    );
    const parentOf = ({ parentSpanId }: Span) =>
      many.others.find(({ spanId }) => spanId === parentSpanId);
    const databases = many.others.filter(({ name }) => name === "database");
    const servers = new Set(databases.map(parentOf));
    assert.deepEqual([databases.length, servers.size], [20, 20]);
    const clients = new Set([...servers].map((span) => span && parentOf(span)));
    assert.equal(clients.size, 20);
  });

  it("leaves the caller's metadata alone, which may serve several calls", async () => {
    const metadata = new Metadata();
    const { others } = await traceOf(6, (bakery) =>
      Promise.all([getProduct(bakery, { metadata }), getProduct(bakery, { metadata })]),
    );
    assert.deepEqual(metadata.get("traceparent"), []);
    assert.equal(new Set(others.map(({ parentSpanId }) => parentSpanId)).size, 5);
  });
});

describe("a trace that somebody else began", () => {
  const call = async (traceparent: string) => {
    const security = { ca: ca(), cert: "", key: "", plaintext: false, token };
    const connection = connect(server.address, {
      deadlineMs: 0,
      verbose: false,
      security: channelSecurity(security, server.address),
    });
    const metadata = new Metadata();
    metadata.set("traceparent", traceparent);
    const id = `outside-${Math.random()}`;
    metadata.set("x-request-id", id);
    const catalog = connection.stub(CatalogServiceClient);
    await unaryCall<GetProductResponse>((done) =>
      catalog.getProduct({ id: "rye" }, metadata, soon(), done),
    );
    connection.close();
    const line = () =>
      server.program
        .output()
        .split("\n")
        .find((text) => text.includes(id));
    await eventually(() => line() !== undefined);
    return /trace=(\S+)/.exec(line() ?? "")?.[1];
  };

  it("goes on", async () => {
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    assert.equal(await call(`00-${traceId}-b7ad6b7169203331-01`), traceId);
    const [served] = await trace(traceId, 2);
    assert.deepEqual([served?.kind, served?.parentSpanId], ["server", "b7ad6b7169203331"]);
  });

  it("is not recorded if it isn't recorded there", async () => {
    const traceId = "1af7651916cd43dd8448eb211c80319c";
    assert.equal(await call(`00-${traceId}-b7ad6b7169203331-00`), undefined);
    assert.equal(spans.filter((span) => span.traceId === traceId).length, 0);
  });

  it("must have a proper id", async () => {
    const traceId = await call("00-nonsense-b7ad6b7169203331-01");
    const [served] = await trace(traceId ?? "", 2);
    assert.deepEqual([served?.kind, served?.parentSpanId], ["server", ""]);
  });
});

/** Why a test is skipped that needs another program; false if that is here. */
function without(program: string, version: string): string | false {
  return spawnSync(program, [version]).status !== 0 && `there is no ${program}`;
}

describe("the metrics", () => {
  const pageUrl = ({ program }: RunningServer) =>
    /^metrics on (http:\S+)$/m.exec(program.output())?.[1] ?? "";
  const page = async (running: RunningServer) => {
    const response = await fetch(pageUrl(running));
    return [response.headers.get("content-type") ?? "", await response.text()] as const;
  };

  it("name a trace for a bucket", async () => {
    const { traceId } = await traceOf(3, (bakery) => getProduct(bakery));
    const [type, text] = await page(server);
    assert.match(type, /^application\/openmetrics-text; version=1\.0\.0/);
    const exemplar = `grpc_server_handling_seconds_bucket\\{.*GetProduct.*# \\{trace_id="${traceId}"\\}`;
    assert.match(text, new RegExp(exemplar));
    assert.match(text, /# EOF\n$/);
  });

  it("tell a real Prometheus the trace", { skip: without("prometheus", "--version") }, async () => {
    const rules = join(folder, "prometheus");
    const config = readFileSync(join(rules, "prometheus.yml"), "utf8")
      .replace("127.0.0.1:9464", new URL(pageUrl(server)).host)
      .replaceAll(": 2s", ": 1s")
      .replace("rules.yml", join(rules, "rules.yml"));
    writeFileSync(join(scratch, "prometheus.yml"), config);
    const prometheus = new Program({
      file: "prometheus",
      args: [
        `--config.file=${join(scratch, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(scratch, "tsdb")}`,
        "--web.listen-address=127.0.0.1:0",
        "--enable-feature=exemplar-storage",
      ],
      cwd: scratch,
      env: { PATH: process.env.PATH },
    });
    await using _ = { [Symbol.asyncDispose]: () => prometheus.stop() };
    const { traceId } = await traceOf(3, (bakery) => getProduct(bakery));
    const address = () => /"Listening on" address=(\S+)/.exec(prometheus.output())?.[1];
    assert.ok(await prometheus.until(() => address() !== undefined, 30_000), prometheus.output());
    const query = new URLSearchParams({
      query: 'grpc_server_handling_seconds_bucket{grpc_method="GetProduct"}',
      start: String(Date.now() / 1000 - 60),
      end: String(Date.now() / 1000 + 60),
    });
    let found = "";
    for (const deadline = Date.now() + 30_000; !found.includes(traceId); ) {
      assert.ok(Date.now() < deadline, found);
      const answer = await fetch(`http://${address()}/api/v1/query_exemplars?${query}`);
      found = await answer.text();
    }
    assert.ok(found.includes(`"labels":{"trace_id":"${traceId}"}`), found);
  });

  it("are as before without a collector, and so is the log", async () => {
    await using plain = await start();
    assert.equal((await run(plain, ["get", "rye"])).exitCode, 0);
    await eventually(() => plain.program.output().includes("GetProduct OK"));
    assert.doesNotMatch(plain.program.output(), /trace/);
    const [type, text] = await page(plain);
    assert.match(type, /^text\/plain; version=0\.0\.4/);
    assert.doesNotMatch(text, /trace_id/);
  });
});

describe("what is recorded", () => {
  it("is chosen by the standard variables", async () => {
    for (const [sampler, share, recorded] of [
      ["always_off", "1", false],
      ["traceidratio", "0", false],
      ["parentbased_traceidratio", "1", true],
    ] as const) {
      const chosen = { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: share };
      const env = { ...chosen, OTEL_SERVICE_NAME: `${sampler}-client` };
      assert.equal((await run(server, ["get", "rye"], env)).exitCode, 0);
      const found = () => spans.some(({ service }) => service === env.OTEL_SERVICE_NAME);
      assert.equal(found(), recorded, sampler); // The client sends its spans before it ends.
    }
  });

  it("can't be chosen by nonsense", async () => {
    for (const [name, value] of [
      ["OTEL_TRACES_SAMPLER", "sometimes"],
      ["OTEL_TRACES_SAMPLER_ARG", "1.5"],
      ["OTEL_EXPORTER_OTLP_ENDPOINT", "127.0.0.1:4318"],
      ["JAEGER", "here"],
    ] as const) {
      const { stderr, exitCode } = await run(server, ["get", "rye"], { [name]: value });
      assert.equal(exitCode, 2);
      assert.match(stderr, new RegExp(`^${name} must be`));
    }
  });

  it("goes to JAEGER, too", async () => {
    const env = { JAEGER: `${endpoint}/`, OTEL_EXPORTER_OTLP_ENDPOINT: "", OTEL_SERVICE_NAME: "j" };
    assert.equal((await run(server, ["get", "rye"], env)).exitCode, 0);
    assert.ok(spans.some(({ service }) => service === "j"));
  });
});

/** Ends a server as Ctrl+C does. Returns how long that took. */
async function end({ program }: RunningServer): Promise<number> {
  const startedAt = performance.now();
  program.interrupt();
  assert.ok(await program.ends(20_000));
  assert.equal(program.exitCode, 0, program.output());
  return performance.now() - startedAt;
}

describe("the queue", () => {
  it("is sent before the server ends", { skip: noSignals }, async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_BSP_SCHEDULE_DELAY: "60000" };
    await using patient = await start({ ...env, OTEL_SERVICE_NAME: "patient" });
    const sent = () => spans.filter(({ service }) => service === "patient").length;
    assert.equal((await run(patient, ["get", "rye"])).exitCode, 0);
    assert.equal(sent(), 0);
    await end(patient);
    assert.equal(sent(), 1);
  });

  it("says how many spans were too many", { skip: noSignals }, async () => {
    let answer = () => {};
    let received = 0;
    const slow = createServer((request, response) => {
      request.resume();
      received++;
      // It keeps the first batch waiting, while the queue fills.
      if (received === 1) answer = () => response.end("{}");
      else response.end("{}");
    });
    await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
    await using full = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: urlOf(slow),
      OTEL_EXPORTER_OTLP_TIMEOUT: "60000",
      OTEL_BSP_SCHEDULE_DELAY: "60000",
      OTEL_BSP_MAX_QUEUE_SIZE: "10",
    });
    {
      using bakery = dial(full);
      for (let made = 0; made < 25; made++) await getProduct(bakery);
    }
    answer();
    const said = "traces: dropped 5 spans, 10 were waiting";
    await eventually(() => full.program.output().includes(said));
    await end(full);
    assert.equal(full.program.output().match(/^traces: .*$/gm)?.length, 1);
    slow.close();
  });
});

describe("without its collector", () => {
  const lines = (text: string) => text.match(/^traces: .*$/gm) ?? [];

  it("a client says so once, and does what it should", async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" };
    const { stdout, stderr, exitCode } = await run(server, ["get", "rye"], env);
    assert.deepEqual([stdout.split("\n")[0], exitCode], ["ID: rye", 0]);
    assert.equal(stderr, "traces: can't be sent: connect ECONNREFUSED 127.0.0.1:1\n");
    const failed = await run(server, ["get", "cake"], env);
    assert.equal(failed.exitCode, 64 + status.NOT_FOUND);
    assert.equal(lines(failed.stderr).length, 1);
  });

  it("a server says so once, until the collector is back", { skip: noSignals }, async () => {
    const [moved, url] = await collect(() => {});
    moved.close();
    await using lonely = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    using bakery = dial(lonely);
    await getProduct(bakery);
    await eventually(() => lines(lonely.program.output()).length === 1);
    assert.match(lonely.program.output(), /^traces: can't be sent: connect ECONNREFUSED/m);
    await getProduct(bakery);
    await new Promise<void>((resolve) => moved.listen(Number(new URL(url).port), resolve));
    const isBack = async () => {
      await getProduct(bakery);
      return lines(lonely.program.output()).length > 1;
    };
    while (!(await isBack()));
    const [, back = ""] = lines(lonely.program.output());
    assert.match(back, /^traces: the collector is back; \d+ spans are lost$/);
    moved.close();
    moved.closeAllConnections();
  });

  it("nothing waits for one that never answers, and the end for a second", async () => {
    const silent = createServer((request) => request.resume());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: urlOf(silent), OTEL_BSP_SCHEDULE_DELAY: "1" };
    await using stuck = await start(env);
    assert.equal((await run(stuck, ["get", "rye"], env)).exitCode, 0);
    using bakery = dial(stuck);
    const deadline = Date.now() + 2000;
    for (let made = 0; made < 20; made++) await getProduct(bakery, { options: { deadline } });
    // By itself, the exporter would wait 10 s.
    if (noSignals === false) assert.ok((await end(stuck)) < 5000);
    silent.closeAllConnections();
    silent.close();
  });
});

/** A span as Jaeger's query API shows it. */
interface JaegerSpan {
  readonly spanID: string;
  readonly operationName: string;
  readonly processID: string;
  readonly references: readonly { readonly refType: string; readonly spanID: string }[];
  readonly tags: readonly { readonly key: string; readonly value: unknown }[];
  readonly logs: readonly { readonly fields: readonly { key: string; value: unknown }[] }[];
}

interface JaegerTrace {
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
}

const jaegerProgram = "jaeger-all-in-one";

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const port = Number(new URL(urlOf(probe)).port);
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

describe("Jaeger", { skip: without(jaegerProgram, "version") }, () => {
  it("has a call of each kind, with parents, kinds, attributes and statuses", async () => {
    const [otlp, query] = [await freePort(), await freePort()];
    const anyPort = [
      "admin.http.host-port",
      "collector.grpc-server.host-port",
      "collector.http-server.host-port",
      "collector.otlp.grpc.host-port",
      "http-server.host-port",
      "processor.jaeger-binary.server-host-port",
      "processor.jaeger-compact.server-host-port",
      "processor.zipkin-compact.server-host-port",
      "query.grpc-server.host-port",
    ];
    const ports = [
      `--collector.otlp.http.host-port=127.0.0.1:${otlp}`,
      `--query.http-server.host-port=127.0.0.1:${query}`,
      ...anyPort.map((name) => `--${name}=127.0.0.1:0`),
    ];
    const jaeger = new Program({
      file: jaegerProgram,
      args: ports,
      cwd: scratch,
      env: { PATH: process.env.PATH, OTEL_TRACES_SAMPLER: "always_off" }, // Jaeger traces itself.
    });
    await using _ = { [Symbol.asyncDispose]: () => jaeger.stop() };
    const api = `http://127.0.0.1:${query}/api`;
    let answers = false;
    while (!answers && jaeger.exitCode === undefined) {
      answers = await fetch(`${api}/services`)
        .then(({ ok }) => ok)
        .catch(() => false);
    }
    assert.ok(answers, jaeger.output());

    const env = { JAEGER: `http://127.0.0.1:${otlp}` };
    await using shown = await start({ ...env, SLOW_MS: "20" });
    for (const [args, code] of [
      [["get", "rye"], status.OK],
      [["get", "cake"], status.NOT_FOUND],
      [["watch", "rye", "--count", "1"], status.OK],
      [["restock", "rye=1"], status.OK],
      [["order", "rye=1", "--track"], status.OK],
    ] as const) {
      const { exitCode, stderr } = await run(shown, [...args], env);
      assert.equal(exitCode, code === status.OK ? 0 : 64 + code, stderr);
    }
    const wanted = [
      [
        "client get internal | ",
        "GetProduct client OK | client get",
        "GetProduct server OK | GetProduct client",
        "database internal | GetProduct server",
      ],
      [
        "client get internal ERROR | ",
        "GetProduct client NOT_FOUND ERROR | client get",
        "GetProduct server NOT_FOUND | GetProduct client",
      ],
      [
        "client watch internal | ",
        "WatchProducts client CANCELLED ERROR messages=2 | client watch",
        "WatchProducts server CANCELLED messages=2 | WatchProducts client",
      ],
      [
        "client restock internal | ",
        "RestockProducts client OK messages=3 | client restock",
        "RestockProducts server OK messages=3 | RestockProducts client",
      ],
      [
        "client order internal | ",
        "CreateOrder client OK | client order",
        "CreateOrder server OK | CreateOrder client",
        "TrackOrder client OK messages=? | client order", // It depends on how soon it is tracked.
        "TrackOrder server OK messages=? | TrackOrder client",
      ],
    ];
    let traces: JaegerTrace[] = [];
    for (const deadline = Date.now() + 30_000; ; ) {
      const response = await fetch(`${api}/traces?service=bakery-client&limit=100`);
      traces = JSON.parse(await response.text()).data;
      if (traces.flatMap(({ spans }) => spans).length >= wanted.flat().length) break;
      assert.ok(Date.now() < deadline, JSON.stringify(traces));
    }
    const sorted = (lines: string[][]) => lines.map((ofTrace) => ofTrace.sort()).sort();
    assert.deepEqual(sorted(traces.map(jaegerLines)), sorted(wanted));
  });
});

/** Returns a line for each span: what it is, how it ended, and its parent. */
function jaegerLines({ spans: ofTrace, processes }: JaegerTrace): string[] {
  const tag = ({ tags }: JaegerSpan, name: string) =>
    tags.find(({ key }) => key === name)?.value ?? "";
  const title = (span: JaegerSpan) => {
    const name = span.operationName.split("/").at(-1) ?? "";
    const kind = String(tag(span, "span.kind"));
    return kind === "client" || kind === "server" ? `${name} ${kind}` : name;
  };
  return ofTrace.map((span) => {
    const [parent] = span.references;
    assert.ok(parent === undefined || parent.refType === "CHILD_OF");
    const above = ofTrace.find(({ spanID }) => spanID === parent?.spanID);
    const kind = String(tag(span, "span.kind"));
    if (kind === "client" || kind === "server") {
      assert.equal(processes[span.processID]?.serviceName, `bakery-${kind}`);
      assert.equal(tag(span, "rpc.system.name"), "grpc");
      assert.equal(tag(span, "rpc.method"), span.operationName);
    }
    const messagesSeen = span.operationName.endsWith("TrackOrder") ? "?" : span.logs.length;
    const counted = span.logs.length === 0 ? "" : `messages=${messagesSeen}`;
    const code = tag(span, "rpc.response.status_code");
    const words = [title(span), title(span).endsWith(kind) ? "" : kind, code];
    const line = [...words, tag(span, "otel.status_code"), counted].filter(Boolean).join(" ");
    return `${line} | ${above === undefined ? "" : title(above)}`;
  });
}
