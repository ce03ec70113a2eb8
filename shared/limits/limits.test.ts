// Tests what grpc-js and its companions can't do, or do in a way that surprises. When a new version
// changes one of these, its test fails: then the page and the lesson that mention it can change, too.

import assert from "node:assert/strict";
import { promises as dns } from "node:dns";
import { EventEmitter, once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp, createServer } from "node:net";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  type ClientReadableStream,
  credentials,
  experimental,
  InterceptingCall,
  Metadata,
  ServerInterceptingCall,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  setLogger,
  status,
} from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import { ask, type BareServer, dial, echoService, run, serve } from "./bare.ts";

/** Long enough for anything that is going to happen. */
const MOMENT_MS = 300;

type Unary = ServerUnaryCall<string, string>;
type Reply = sendUnaryData<string>;
const echo = { unary: ({ request }: Unary, reply: Reply) => reply(null, request) };

const roundRobin = (config: object = {}) => ({
  "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }], ...config }),
});

function feed(client: ReturnType<typeof dial>): ClientReadableStream<string> {
  const { path, requestSerialize, responseDeserialize } = echoService.feed;
  return client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, "hi");
}

/** The tests, by their names on the page. */
const limits: Record<string, (test: TestContext) => Promise<void>> = {
  async "an async handler that rejects ends the process"() {
    const { exitCode, output } = await run(`
      const server = new grpc.Server();
      server.addService({ unary }, { unary: async () => { throw new Error("thrown"); } });
      await call(server);`);
    assert.equal(exitCode, 1, output);
    assert.match(output, /Error: thrown/);
  },

  async "a response that can't be serialized leaves no trace at the server"(test) {
    const said = [test.mock.method(console, "error"), test.mock.method(console, "log")];
    const responseSerialize = () => {
      throw new Error("no such field");
    };
    const service = { unary: { ...echoService.unary, responseSerialize } };
    using server = await serve(echo, {}, service);
    using client = dial(server.address);
    const { error } = await ask(client);
    assert.equal(error?.code, status.INTERNAL);
    assert.match(String(error?.details), /^Error serializing response/);
    for (const { mock } of said) assert.equal(mock.callCount(), 0);
  },

  async "details that are too long end all calls of the channel"() {
    const details = "x".repeat(200_000);
    using server = await serve({
      unary: (call: Unary, reply: Reply) => {
        if (call.request === "long") reply({ code: status.NOT_FOUND, details });
        else setTimeout(() => reply(null, "ok"), MOMENT_MS);
      },
    });
    using client = dial(server.address);
    const options = { deadline: Date.now() + 2000 };
    const [other, long] = await Promise.all([
      ask(client, "other", options),
      ask(client, "long", options),
    ]);
    assert.notEqual(long.error?.code, status.NOT_FOUND);
    assert.notEqual(other.error, undefined);
  },

  async "metadata that grpc-js refuses is logged with its value"() {
    const logged: string[] = [];
    const log = (...words: unknown[]) => logged.push(words.join(" "));
    setLogger({ error: log, info: log, debug: log });
    using server = await serve(echo);
    const session = connectHttp2(`http://${server.address}`);
    const request = session.request({
      ":method": "POST",
      ":path": echoService.unary.path,
      "content-type": "application/grpc",
      te: "trailers",
      authorization: "Bearer secret\u00e9",
    });
    request.end();
    await once(request, "response");
    session.destroy();
    setLogger(console);
    assert.match(logged.join("\n"), /secret/);
  },

  async "forceShutdown doesn't end the wait of tryShutdown"() {
    using server = await serve(echo);
    const [host, port] = server.address.split(":");
    const silent = connectTcp(Number(port), host); // a peer that sends nothing
    await once(silent, "connect");
    let isDown = false;
    server.server.tryShutdown(() => {
      isDown = true;
    });
    server.server.forceShutdown();
    await wait(MOMENT_MS);
    silent.destroy();
    assert.equal(isDown, false);
  },

  async "cancelled fires at the end of every call"() {
    let fired = () => {};
    const cancelled = new Promise<void>((resolve) => {
      fired = resolve;
    });
    using server = await serve({
      unary(call: Unary, reply: Reply) {
        call.on("cancelled", () => fired());
        reply(null, "ok");
      },
    });
    using client = dial(server.address);
    assert.equal((await ask(client)).response, "ok");
    await cancelled;
  },

  async "a client that leaves the loop over a stream doesn't cancel the call"() {
    let call: ServerWritableStream<string, string> | undefined;
    using server = await serve({
      feed(incoming: ServerWritableStream<string, string>) {
        call = incoming;
        incoming.write("one");
      },
    });
    using client = dial(server.address);
    for await (const _ of feed(client)) break;
    await wait(MOMENT_MS);
    assert.equal(call?.cancelled, false);
  },

  async "a stream that is destroyed at the server never ends at the client"() {
    using server = await serve({
      feed(call: ServerWritableStream<string, string>) {
        call.on("error", () => {});
        call.destroy(new Error("no more"));
      },
    });
    using client = dial(server.address);
    const call = feed(client);
    call.on("error", () => {}).resume();
    const ended = once(call, "status").then(() => "ended");
    assert.equal(await Promise.race([ended, wait(MOMENT_MS, "hangs")]), "hangs");
    call.cancel();
  },

  async "a server doesn't limit a connection's streams"() {
    using server = await serve(echo);
    const session = connectHttp2(`http://${server.address}`);
    const [settings] = await once(session, "remoteSettings");
    session.destroy();
    assert.equal(settings.maxConcurrentStreams, 2 ** 32 - 1);
  },

  async "a cancelled upload looks complete"() {
    const said = new EventEmitter();
    using server = await serve({
      async upload(call: ServerReadableStream<string, string>, reply: Reply) {
        for await (const _ of call) said.emit("message");
        said.emit("end", call.cancelled);
        reply(null, "ok");
      },
    });
    using client = dial(server.address);
    const { path, requestSerialize, responseDeserialize } = echoService.upload;
    const call = client.makeClientStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      () => {},
    );
    const [arrived, ended] = [once(said, "message"), once(said, "end")];
    call.write("half");
    await arrived;
    call.cancel();
    assert.deepEqual(await ended, [false]);
  },

  async "an exception in a server interceptor ends the process"() {
    const { exitCode, output } = await run(`
      const interceptor = () => { throw new Error("thrown"); };
      const server = new grpc.Server({ interceptors: [interceptor] });
      server.addService({ unary }, { unary: (call, reply) => reply(null, "") });
      await call(server);`);
    assert.equal(exitCode, 1, output);
    assert.match(output, /Error: thrown/);
  },

  async "calls of unknown methods pass no server interceptor"() {
    let seen = 0;
    const interceptors = [
      (_method: unknown, call: ConstructorParameters<typeof ServerInterceptingCall>[0]) => {
        seen++;
        return new ServerInterceptingCall(call);
      },
    ];
    const { unary } = echoService;
    using server = await serve({ feed: () => {} }, { interceptors }, { feed: echoService.feed });
    using client = dial(server.address);
    assert.equal((await ask(client)).error?.code, status.UNIMPLEMENTED, unary.path);
    assert.equal(seen, 0);
  },

  async "a failed unary call brings its client's interceptors null as its message"() {
    const messages: unknown[] = [];
    using server = await serve({
      unary: (_call: Unary, reply: Reply) => reply({ code: status.NOT_FOUND, details: "" }),
    });
    using client = dial(server.address);
    const { path, requestSerialize, responseDeserialize } = echoService.unary;
    const interceptor = (options: object, nextCall: (options: object) => InterceptingCall) =>
      new InterceptingCall(nextCall(options), {
        start: (metadata, _listener, next) =>
          next(metadata, {
            onReceiveMessage(message, next) {
              messages.push(message);
              next(message);
            },
          }),
      });
    const options = { interceptors: [interceptor as never] };
    await new Promise((resolve) =>
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        "hi",
        new Metadata(),
        options,
        resolve,
      ),
    );
    assert.deepEqual(messages, [null]);
  },

  async "plaintext channels can't have call credentials"() {
    const bearer = credentials.createFromMetadataGenerator((_call, done) =>
      done(null, new Metadata()),
    );
    assert.throws(() =>
      credentials.combineChannelCredentials(credentials.createInsecure(), bearer),
    );
  },

  async "TLS to an IP address sends it as the server's name"() {
    let hello = Buffer.alloc(0);
    const listener = createServer((socket) => {
      socket
        .on("error", () => {})
        .once("data", (bytes) => {
          hello = bytes;
          socket.destroy();
        });
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const at = listener.address();
    const target = `127.0.0.1:${typeof at === "object" ? at?.port : 0}`;
    const { exitCode, output } = await run(`
      const client = new grpc.Client("${target}", grpc.credentials.createSsl());
      client.makeUnaryRequest("/a/b", Buffer.from, String, "hi", (error) => {
        console.log(error.details);
        process.exit(0);
      });`);
    listener.close();
    assert.equal(exitCode, 0, output);
    // From version 25 on, Node.js refuses it.
    const isRefused = Number(process.versions.node.split(".")[0]) >= 25;
    assert.ok(isRefused ? hello.length === 0 : hello.includes("127.0.0.1"), output);
  },

  async "reflection loses imports with the descriptors of proto-loader"() {
    const { output } = await run(`
      import { createRequire } from "node:module";
      import { fromBinary } from "@bufbuild/protobuf";
      import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
      const require = createRequire(import.meta.resolve("@grpc/reflection"));
      const { loadSync } = require("@grpc/proto-loader");
      const includeDirs = ["step-02-server-stream/proto"];
      const loaded = loadSync("bakery/v1/catalog.proto", { includeDirs }); // imports a timestamp
      for (const bytes of loaded["bakery.v1.WatchProductsResponse"].fileDescriptorProtos) {
        const { dependency } = fromBinary(FileDescriptorProtoSchema, bytes);
        console.log("imports: " + dependency.length);
      }`);
    assert.equal(output, "imports: 0\nimports: 0\n");
  },

  async "health checks keep every name that was ever watched"() {
    const health = new HealthImplementation({ "": "SERVING" });
    using server = await serve(echo);
    health.addToServer(server.server);
    using client = dial(server.address);
    const name = Buffer.from("\n\u0007no-such", "latin1"); // field 1: a text of seven bytes
    const call = client.makeServerStreamRequest(
      "/grpc.health.v1.Health/Watch",
      (request: Buffer) => request,
      (response: Buffer) => response,
      name,
    );
    call.on("error", () => {}); // Of the cancellation.
    await once(call, "data");
    call.cancel();
    await wait(MOMENT_MS);
    const kept: unknown = Reflect.get(health, "watchers");
    assert.ok(kept instanceof Map && kept.has("no-such"));
  },

  async "grpc-js's own statuses pass no server interceptor"() {
    const sent: unknown[] = [];
    const interceptors = [
      (_method: unknown, call: ConstructorParameters<typeof ServerInterceptingCall>[0]) =>
        new ServerInterceptingCall(call, {
          sendStatus(ended, next) {
            sent.push(ended.code);
            next(ended);
          },
        }),
    ];
    using server = await serve(echo, { interceptors, "grpc.max_receive_message_length": 10 });
    using client = dial(server.address);
    const { error } = await ask(client, "more than ten bytes");
    assert.equal(error?.code, status.RESOURCE_EXHAUSTED);
    assert.deepEqual(sent, []);
  },

  async "a parent keeps a listener for each call that was made for it"() {
    let listeners = 0;
    using server = await serve({
      async unary(call: Unary, reply: Reply) {
        if (call.request === "inner") return reply(null, "ok");
        call.setMaxListeners(0); // no warning
        for (let n = 0; n < 20; n++) await ask(client, "inner", { parent: call });
        listeners = call.listenerCount("cancelled");
        reply(null, "ok");
      },
    });
    using client = dial(server.address);
    assert.equal((await ask(client, "outer")).response, "ok");
    assert.ok(listeners >= 20, `${listeners}`);
  },

  async "a call that begins after its parent has ended isn't cancelled"() {
    let parent: Unary | undefined;
    using server = await serve({
      unary(call: Unary, reply: Reply) {
        if (call.request === "outer") parent = call;
        reply(null, "ok");
      },
    });
    using client = dial(server.address);
    await ask(client, "outer");
    await wait(MOMENT_MS);
    assert.ok(parent?.cancelled);
    assert.equal((await ask(client, "inner", { parent })).response, "ok");
  },

  async "an unknown balancing policy becomes pick_first without a word"() {
    using servers = await three();
    const unknown = { loadBalancingConfig: [{ least_request: {} }] };
    assert.deepEqual(await split(servers, roundRobin(unknown)), [0, 0, 12]);
    assert.throws(() => experimental.parseLoadBalancingConfig({ least_request: {} }), /Unrecogn/);
    assert.deepEqual(await split(servers, roundRobin()), [4, 4, 4]);
  },

  async "round_robin calls servers that are NOT_SERVING"() {
    using servers = await three();
    for (const { server } of servers.list) {
      new HealthImplementation({ "": "NOT_SERVING", "bare.Echo": "NOT_SERVING" }).addToServer(
        server,
      );
    }
    const checked = roundRobin({ healthCheckConfig: { serviceName: "bare.Echo" } });
    assert.deepEqual(await split(servers, checked), [4, 4, 4]);
  },

  async "weighted_round_robin loads proto files for each call that reports its load"() {
    const loads = await run(`
      import { createRequire } from "node:module";
      const require = createRequire(process.cwd() + "/node_modules/@grpc/grpc-js/package.json");
      const loader = require("@grpc/proto-loader");
      const { loadSync } = loader;
      let loads = 0;
      loader.loadSync = (...args) => { loads++; return loadSync(...args); };
      const server = new grpc.Server({ "grpc.server_call_metric_recording": 1 });
      server.addService({ unary }, { unary: (call, reply) => {
        call.getMetricsRecorder().recordApplicationUtilizationMetric(0.5);
        reply(null, "");
      } });
      await call(server, { weighted_round_robin: {} });
      console.log("loads: " + loads);`);
    assert.match(loads.output, /^loads: ([5-9]|1\d)$/m);
  },

  async "dns: has one port for all addresses, and no SRV records"(test) {
    const asked = test.mock.method(dns, "lookup", async () => [
      { address: "127.0.0.1", family: 4 },
      { address: "127.0.0.1", family: 4 },
    ]);
    const srv = test.mock.method(dns, "resolveSrv");
    using server = await serve(echo);
    const [, port] = server.address.split(":");
    using client = dial(`dns:catalog.test:${port}`, roundRobin());
    assert.equal((await ask(client)).peer, server.address);
    assert.equal(asked.mock.calls[0]?.arguments[0], "catalog.test");
    assert.equal(srv.mock.callCount(), 0);
  },

  async "dns: looks again only after a lost connection, and not within 30 s"(test) {
    const asked = test.mock.method(dns, "lookup", async () => [
      { address: "127.0.0.1", family: 4 },
    ]);
    const timers = test.mock.method(globalThis, "setTimeout");
    const first = await serve(echo);
    const [, port] = first.address.split(":");
    using client = dial(`dns:catalog.test:${port}`, roundRobin());
    await ask(client);
    first.server.forceShutdown();
    assert.equal((await ask(client)).error?.code, status.UNAVAILABLE);
    await wait(MOMENT_MS);
    assert.equal(asked.mock.callCount(), 1);
    assert.ok(timers.mock.calls.some((call) => call.arguments[1] === 30_000));
    // The 30 s are an option of the channel.
    const soon = { ...roundRobin(), "grpc.dns_min_time_between_resolutions_ms": 10 };
    const second = await serve(echo);
    using other = dial(`dns:catalog.test:${second.address.split(":")[1]}`, soon);
    await ask(other);
    await wait(MOMENT_MS);
    assert.equal(asked.mock.callCount(), 2, "no lost connection, no new lookup");
    second.server.forceShutdown();
    await ask(other);
    await wait(MOMENT_MS);
    assert.ok(asked.mock.callCount() > 2);
  },

  async "dns://SERVER/NAME asks the system's server"(test) {
    const asked = test.mock.method(dns, "lookup", async () => [
      { address: "127.0.0.1", family: 4 },
    ]);
    using server = await serve(echo);
    const [, port] = server.address.split(":");
    using client = dial(`dns://192.0.2.1/catalog.test:${port}`);
    assert.equal((await ask(client)).error, undefined);
    assert.equal(asked.mock.callCount(), 1);
  },

  async "a timeout of 0.5s in the service config ends calls at once"() {
    const late = (call: Unary, reply: Reply) => setTimeout(() => reply(null, call.request), 20);
    using server = await serve({ unary: late });
    for (const [timeout, code] of [
      ["0.5s", status.DEADLINE_EXCEEDED],
      ["5s", undefined],
      [{ seconds: 5, nanos: 500_000_000 }, undefined],
    ] as const) {
      using client = dial(server.address, everyCall({ timeout }));
      assert.equal((await ask(client)).error?.code, code);
    }
  },

  async "waitForReady in the service config has no effect"() {
    const closed = await serve(echo);
    closed[Symbol.dispose]();
    using client = dial(closed.address, everyCall({ waitForReady: true }));
    assert.equal((await ask(client)).error?.code, status.UNAVAILABLE);
  },

  async "ten attempts are five"() {
    using server = await failing();
    using client = dial(server.address, everyCall({ retryPolicy: retries({ maxAttempts: 10 }) }));
    await ask(client);
    assert.equal(server.calls(), 5);
  },

  async "a call whose answer has begun isn't repeated"() {
    using server = await failing((call) => call.sendMetadata(new Metadata()));
    using client = dial(server.address, everyCall({ retryPolicy: retries() }));
    assert.equal((await ask(client)).error?.code, status.UNAVAILABLE);
    assert.equal(server.calls(), 1);
  },

  async "a pushback that isn't a number means at once"() {
    using server = await failing(() => {}, "soon");
    const retryPolicy = retries({ initialBackoff: "60s", maxBackoff: "60s" });
    using client = dial(server.address, everyCall({ retryPolicy }));
    assert.equal((await ask(client)).error?.code, status.UNAVAILABLE);
    assert.equal(server.calls(), 4);
  },

  async "of many calls that fail at the same time, none is repeated"() {
    using server = await failing();
    const retryThrottling = { maxTokens: 10, tokenRatio: 0.1 };
    const retryPolicy = retries({ initialBackoff: "0.5s" });
    using client = dial(server.address, everyCall({ retryPolicy }, { retryThrottling }));
    await Promise.all(Array.from({ length: 5 }, () => ask(client)));
    assert.equal(server.calls(), 5);
  },

  async "outlier detection with durations in another form becomes pick_first without a word"() {
    using servers = await three();
    const seconds = { seconds: 1, nanos: 0 };
    for (const [interval, calls] of [
      ["1s", [0, 0, 12]],
      [{ seconds: 1 }, [0, 0, 12]],
      [seconds, [4, 4, 4]],
    ] as const) {
      const policy = ejecting({ interval });
      const parse = () => experimental.parseLoadBalancingConfig(policy);
      if (interval === seconds) assert.doesNotThrow(parse);
      else assert.throws(parse, /expected Duration/);
      const options = roundRobin({ loadBalancingConfig: [policy] });
      assert.deepEqual(await split(servers, options), calls);
    }
  },

  async "outlier detection ignores names in camelCase"() {
    const understood = (more: object) =>
      experimental.parseLoadBalancingConfig(ejecting(more)).toJsonObject();
    const camel = { maxEjectionPercent: 33, failurePercentageEjection: { minimumHosts: 3 } };
    assert.deepEqual(understood(camel), understood({}));
  },

  async "outlier detection counts NOT_FOUND as a failure"() {
    const notFound = (_call: Unary, reply: Reply) => reply({ code: status.NOT_FOUND });
    using missing = await serve({ unary: notFound });
    using others = await three();
    const policy = ejecting({
      interval: { seconds: 0, nanos: 200_000_000 },
      failure_percentage_ejection: { threshold: 50, minimum_hosts: 3, request_volume: 3 },
    });
    const options = roundRobin({ loadBalancingConfig: [policy] });
    using client = dial(`${others.target},${missing.address}`, options);
    const peers = async () => {
      const seen = new Set<string>();
      for (let n = 0; n < 12; n++) seen.add((await ask(client)).peer);
      return seen;
    };
    const until = async (isCalled: boolean) => {
      const deadline = Date.now() + 20_000;
      while ((await peers()).has(missing.address) !== isCalled) assert.ok(Date.now() < deadline);
    };
    await until(true);
    await until(false);
  },

  async "a client's call that doesn't start stays in memory until its deadline"() {
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    using client = dial("127.0.0.1:1");
    const channel = client.getChannel();
    const create = (count: number) => {
      for (let n = 0; n < count; n++) {
        channel.createCall("/bare.Echo/Unary", Date.now() + 10_000, null, null, null);
      }
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = create(1000);
    await wait(0);
    const bytes = create(10_000) - before;
    assert.ok(bytes > 2_000_000, `${bytes} bytes`);
  },
};

/** The config of outlier detection above round_robin. */
function ejecting(more: object) {
  return { outlier_detection: { child_policy: [{ round_robin: {} }], ...more } };
}

/** A service config for all methods. */
function everyCall(methodConfig: object, others: object = {}) {
  const all = [{ name: [{ service: "bare.Echo" }], ...methodConfig }];
  return { "grpc.service_config": JSON.stringify({ methodConfig: all, ...others }) };
}

function retries(policy: object = {}) {
  const quick = { initialBackoff: "0.01s", backoffMultiplier: 1, maxBackoff: "1s" };
  return { maxAttempts: 4, ...quick, retryableStatusCodes: ["UNAVAILABLE"], ...policy };
}

/** A server whose calls end with UNAVAILABLE, after `first`. It counts them. */
async function failing(first: (call: Unary) => void = () => {}, pushback?: string) {
  let calls = 0;
  const metadata = new Metadata();
  if (pushback !== undefined) metadata.set("grpc-retry-pushback-ms", pushback);
  const server = await serve({
    unary(call: Unary, reply: Reply) {
      calls++;
      first(call);
      reply({ code: status.UNAVAILABLE, details: "", metadata });
    },
  });
  return { ...server, calls: () => calls };
}

/** Three servers, by a target that has all their addresses. */
async function three() {
  const list = await Promise.all([serve(echo), serve(echo), serve(echo)]);
  const target = `ipv4:${list.map(({ address }) => address).join(",")}`;
  const stop = () => list.forEach(({ server }) => void server.forceShutdown());
  return { list, target, [Symbol.dispose]: stop };
}

/** Makes 12 calls once all that will be connected are. Returns how many each has answered, sorted. */
async function split(
  { target, list }: { target: string; list: readonly BareServer[] },
  options: object,
): Promise<number[]> {
  using client = dial(target, options);
  await ask(client);
  await wait(MOMENT_MS);
  const calls = new Map(list.map(({ address }) => [address, 0]));
  for (let n = 0; n < 12; n++) {
    const { peer } = await ask(client);
    calls.set(peer, (calls.get(peer) ?? 0) + 1);
  }
  return [...calls.values()].sort((a, b) => a - b);
}

describe("limits", { concurrency: 1 }, () => {
  for (const [name, test] of Object.entries(limits)) it(name, { timeout: 60_000 }, test);

  it("are on the page, each with its test", () => {
    const page = readFileSync(join(import.meta.dirname, "README.md"), "utf8");
    const rows = page.split("\n").filter((line) => /^\| \d\d \|/.test(line));
    const named = rows.map((row) => row.split(" | ").at(-1)?.replace(/ \|$/, ""));
    assert.deepEqual(named, Object.keys(limits));
  });
});
