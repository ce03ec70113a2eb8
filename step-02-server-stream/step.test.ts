// Tests step 02 over the wire: how a stream starts, every way it ends, and what it costs.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { connect } from "node:http2";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { setImmediate, setTimeout as wait } from "node:timers/promises";
import {
  type CallOptions,
  type ClientReadableStream,
  credentials,
  Server,
  type ServiceError,
  type StatusObject,
  status,
} from "@grpc/grpc-js";
import { Catalog } from "../shared/bakery/catalog.ts";
import { noSignals, Program } from "../shared/testing/programs.ts";
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
import {
  CatalogServiceClient,
  CatalogServiceService,
  WatchProductsRequest,
  type WatchProductsResponse,
} from "./gen/bakery/v1/catalog.ts";
import { StatusError } from "./server/status-error.ts";

const folder = import.meta.dirname;
type Watching = ClientReadableStream<WatchProductsResponse>;

// A server on a real socket, in this process, so that a test can change the shelf and count the
// watchers.
let catalog: Catalog;
let closing: AbortController;
let server: Server;
let address: string;
let stub: CatalogServiceClient;
let log: string[]; // of why calls ended

beforeEach(async (test) => {
  log = [];
  if ("mock" in test) test.mock.method(console, "log", (line: string) => log.push(line));
  catalog = new Catalog();
  closing = new AbortController();
  server = new Server();
  server.addService(
    CatalogServiceService,
    catalogHandlers(catalog, { slowMs: 0, closing: closing.signal }),
  );
  address = await listenHere(server);
  stub = new CatalogServiceClient(address, credentials.createInsecure());
});

afterEach(() => {
  stub.close();
  server.forceShutdown();
});

function watch(productIds: string[], options: CallOptions = { deadline: Date.now() + 20_000 }) {
  const call = stub.watchProducts({ productIds }, options);
  call.on("error", () => {}); // Tests await the status. Without a listener, an error would crash.
  return call;
}

async function next(call: Watching, count: number): Promise<WatchProductsResponse[]> {
  const messages: WatchProductsResponse[] = [];
  while (messages.length < count) {
    const message: WatchProductsResponse | null = call.read();
    if (message !== null) messages.push(message);
    assert.equal(call.readableEnded, false, "the call has ended");
    if (message === null) await setImmediate();
  }
  return messages;
}

async function nextLevels(call: Watching, count: number): Promise<string[]> {
  return (await next(call, count)).map((level) => `${level.productId} ${level.unitsInStock}`);
}

/** Returns the status that a call ends with, and how many messages came before it. */
async function ending(
  call: Watching,
): Promise<{ code: status; details: string; messages: number }> {
  let messages = 0;
  call.on("data", () => messages++);
  const { code, details } = await new Promise<StatusObject>((resolve) =>
    call.once("status", resolve),
  );
  return { code, details, messages };
}

/** Waits until nothing is held for any call: no watchers, and no listeners for the closing. */
async function nothingIsLeft(): Promise<void> {
  await eventually(() => catalog.watchers === 0);
  await eventually(() => getEventListeners(closing.signal, "abort").length === 0);
}

function sell(productId: string): void {
  assert.deepEqual(catalog.take([{ productId, quantity: 1 }]), []);
}

describe("WatchProducts", inThisProcess, () => {
  it("starts with the present levels in the order asked, then sends every change", async () => {
    const call = watch(["rye", "sourdough", "rye"]);
    assert.deepEqual(await nextLevels(call, 2), ["rye 8", "sourdough 12"]);
    sell("baguette");
    sell("rye");
    sell("sourdough");
    const [rye, sourdough] = await next(call, 2);
    assert.deepEqual([rye?.productId, rye?.unitsInStock], ["rye", 7]);
    assert.deepEqual([sourdough?.productId, sourdough?.unitsInStock], ["sourdough", 11]);
    assert.ok(Math.abs(Number(rye?.observedAt) - Date.now()) < 10_000);
    call.cancel();
  });

  it("watches everything, in the order of the shelf, when no product is named", async () => {
    const call = watch([]);
    const ids = (await next(call, 10)).map(({ productId }) => productId);
    assert.deepEqual(ids, catalog.ids());
    call.cancel();
  });

  for (const [id, shown] of [
    ["sourdoh", '"sourdoh"; did you mean sourdough?'],
    ["", '""'],
    ["x".repeat(100_000), `"${"x".repeat(64)}"`],
  ] as const) {
    it(`answers NOT_FOUND, before any message, for the id ${shown}`, async () => {
      const details = `no product ${shown}`;
      const end = await ending(watch(["rye", id]));
      assert.deepEqual(end, { code: status.NOT_FOUND, details, messages: 0 });
      await nothingIsLeft();
    });
  }

  it("takes 100 ids and refuses 101", async () => {
    const call = watch(Array(100).fill("rye"));
    assert.deepEqual(await nextLevels(call, 1), ["rye 8"]);
    call.cancel();
    const { code, messages } = await ending(watch(Array(101).fill("rye")));
    assert.deepEqual([code, messages], [status.INVALID_ARGUMENT, 0]);
  });
});

describe("a stream ends, and nothing is left of it,", inThisProcess, () => {
  it("when the client cancels", async () => {
    const call = watch(["rye"]);
    await next(call, 1);
    assert.equal(catalog.watchers, 1);
    call.cancel();
    assert.equal((await ending(call)).code, status.CANCELLED);
    await nothingIsLeft();
  });

  it("when its deadline passes", async () => {
    const { code, messages } = await ending(watch(["rye"], { deadline: Date.now() + 300 }));
    assert.deepEqual([code, messages], [status.DEADLINE_EXCEEDED, 1]);
    await nothingIsLeft();
  });

  it("when its deadline passes and the client neither reads nor cancels", async () => {
    const session = connect(`http://${address}`, { settings: { initialWindowSize: 0 } });
    try {
      const { path } = CatalogServiceService.watchProducts;
      const headers = { ":method": "POST", ":path": path, te: "trailers" };
      const grpc = { "content-type": "application/grpc", "grpc-timeout": "300m" };
      const request = session.request({ ...headers, ...grpc });
      request.on("error", () => {});
      const message = Buffer.from(WatchProductsRequest.encode({ productIds: [] }).finish());
      request.end(Buffer.concat([Buffer.alloc(5), message]));
      await eventually(() => catalog.watchers === 1);
      await eventually(() => catalog.watchers === 0);
      await eventually(() => log.some((line) => line.endsWith("ended: the deadline has passed")));
    } finally {
      session.destroy();
    }
    await nothingIsLeft();
  });

  it("when the server closes: UNAVAILABLE", async () => {
    const calls = [watch(["rye"]), watch([])];
    await Promise.all(calls.map((call) => next(call, 1)));
    closing.abort(new StatusError(status.UNAVAILABLE, "the bakery is closing"));
    for (const { code, details } of await Promise.all(calls.map(ending))) {
      assert.deepEqual([code, details], [status.UNAVAILABLE, "the bakery is closing"]);
    }
    await nothingIsLeft();
    const late = await ending(watch(["rye"]));
    assert.deepEqual([late.code, late.messages], [status.UNAVAILABLE, 0]);
    await nothingIsLeft();
  });

  it("when it is cancelled at any moment, 200 times", async () => {
    for (let round = 0; round < 200; round++) {
      const call = watch(["rye"]);
      const end = ending(call);
      // Not in the tick that starts the call: grpc-js 1.14.7 may then open the HTTP/2 stream anyway
      // and never end it, and no server can tell.
      for (let turn = 0; turn <= round % 20; turn++) await setImmediate();
      call.cancel();
      assert.equal((await end).code, status.CANCELLED);
    }
    await nothingIsLeft();
  });

  it("when a thousand clients vanish", async () => {
    const script = `
      import { credentials } from "@grpc/grpc-js";
      import { CatalogServiceClient } from ${JSON.stringify(import.meta.resolve("./gen/bakery/v1/catalog.ts"))};
      let started = 0;
      for (let client = 0; client < 1000; client++) {
        const options = { "grpc.use_local_subchannel_pool": client % 10 };
        const stub = new CatalogServiceClient("${address}", credentials.createInsecure(), options);
        const call = stub.watchProducts({ productIds: ["rye"] });
        call.on("error", () => {});
        call.once("data", () => { if (++started === 1000) console.log("all watch"); });
      }`;
    const args = ["--import", "tsx/esm", "--input-type=module", "--eval", script];
    const clients = new Program({ file: process.execPath, args, cwd: folder, env: process.env });
    try {
      const allWatch = () => clients.output().includes("all watch");
      assert.ok(await clients.until(allWatch, 30_000), clients.output());
      assert.equal(catalog.watchers, 1000);
    } finally {
      clients.kill("SIGKILL");
      await clients.stop();
    }
    await nothingIsLeft();
  });
});

describe("a reader that stops reading", inThisProcess, () => {
  it("gets the newest levels when it goes on, not all that were between", async () => {
    const call = watch([]);
    await next(call, 1); // grpc-js applies backpressure only after the first read.
    for (let change = 1; change <= 10_000; change++) {
      catalog.add([{ productId: change % 2 === 0 ? "rye" : "brioche", quantity: 1 }]);
      await setImmediate(); // Gives the server the chance to write this change.
    }
    const newest = new Map<string, number>();
    let messages = 0;
    while (newest.get("rye") !== 5008 || newest.get("brioche") !== 5006) {
      const [level] = await next(call, 1);
      assert.ok(level);
      newest.set(level.productId, level.unitsInStock);
      messages++;
    }
    // Only the messages in the transport's buffers, and then the newest levels.
    assert.ok(messages < 5000, `${messages} messages`);
    call.cancel();
    await nothingIsLeft();
  });
});

describe("the programs", () => {
  let running: RunningServer;
  before(async () => {
    running = await startServer(folder, { TILL_MS: "20" });
  });
  after(() => running?.program.stop());

  it("show the till at work, in a fixed order", async () => {
    await using fresh = await startServer(folder, { TILL_MS: "400" });
    const args = ["watch", "--count", "14", "--address", fresh.address];
    const { stdout, stderr, exitCode } = await runClient(folder, args);
    const lines = stdout.trimEnd().split("\n");
    assert.equal(lines.pop(), "saw 14 updates");
    for (const line of lines) assert.match(line, /^\d\d:\d\d:\d\d {2}[a-z-]+ {2}\d+ left$/);
    const sold = lines.slice(10).map((line) => line.split("  ")[1] ?? "");
    const start = catalog.ids().indexOf(sold[0] ?? "");
    const expected = sold.map((_, at) => catalog.ids()[(start + at) % 10]);
    assert.deepEqual(sold, expected);
    assert.deepEqual([stderr, exitCode], ["", 0]);
  });

  it("end when they cannot listen, although the till is open", async () => {
    const [, port = ""] = running.address.split(":");
    const second = startProgram(folder, "server.ts", [], { PORT: port });
    try {
      assert.ok(await second.ends(30_000), "still running");
      assert.equal(second.exitCode, 1);
    } finally {
      await second.stop();
    }
  });

  it("end a watch cleanly on Ctrl+C, and the server's log says so", {
    skip: noSignals,
  }, async () => {
    const watching = startProgram(folder, "client.ts", ["watch", "rye"], {
      BAKERY_ADDRESS: running.address,
    });
    try {
      assert.ok(await watching.until(() => watching.lines().length > 0, 20_000));
      watching.interrupt();
      assert.ok(await watching.ends(30_000));
      assert.equal(watching.exitCode, 0);
      assert.match(watching.lines().at(-1) ?? "", /^saw \d+ updates?$/);
      const log = /WatchProducts ended: the client has cancelled, or is gone/;
      await eventually(() => log.test(running.program.output()));
    } finally {
      await watching.stop();
    }
  });

  it("end a watch with UNAVAILABLE when the server is told to stop, which ends at once", {
    skip: noSignals,
  }, async () => {
    await using stopping = await startServer(folder);
    const watching = startProgram(folder, "client.ts", ["watch"], {
      BAKERY_ADDRESS: stopping.address,
    });
    try {
      assert.ok(await watching.until(() => watching.lines().length >= 10, 20_000));
      stopping.program.kill("SIGTERM");
      assert.ok(await stopping.program.ends(4000), "the server waited for the stream");
      assert.equal(stopping.program.exitCode, 0);
      assert.ok(await watching.ends(30_000));
      assert.equal(watching.exitCode, 64 + status.UNAVAILABLE);
      assert.equal(watching.lines().at(-1), "UNAVAILABLE: the bakery is closing");
      assert.match(stopping.program.output(), /WatchProducts ended: the bakery is closing/);
    } finally {
      await watching.stop();
    }
  });

  it("end a watch at the deadline that the client gives", async () => {
    const args = ["watch", "rye", "--deadline-ms", "500", "--address", running.address];
    const { stderr, exitCode } = await runClient(folder, args);
    assert.equal(exitCode, 64 + status.DEADLINE_EXCEEDED);
    assert.match(stderr, /^DEADLINE_EXCEEDED: .*\n$/);
    // Client and server each have a timer for the deadline; either may fire first.
    const log = /WatchProducts ended: the (deadline has passed|client has cancelled)/;
    await eventually(() => log.test(running.program.output()));
  });

  it("let go of a client that has vanished without a word", { skip: noSignals }, async () => {
    await using watched = await startServer(folder, { TILL_MS: "0", KEEPALIVE_MS: "300" });
    const args = ["watch", "--address", watched.address];
    const frozen = startProgram(folder, "client.ts", args);
    try {
      assert.ok(await frozen.until(() => frozen.lines().length === 10, 20_000), frozen.output());
      frozen.kill("SIGSTOP");
      const letGo = () => /WatchProducts ended: the client/.test(log());
      const log = () => watched.program.output();
      assert.ok(await watched.program.until(letGo, 5000), log());
    } finally {
      await frozen.stop(0);
    }
  });

  it("hold 250 streams of one client, and let more wait", async () => {
    const eager = new CatalogServiceClient(running.address, credentials.createInsecure());
    let [begun, refused] = [0, 0];
    const calls = Array.from({ length: 300 }, () => {
      const call = eager.watchProducts({ productIds: ["rye"] });
      call.on("error", ({ code }: ServiceError) => {
        if (code === status.RESOURCE_EXHAUSTED) refused++;
      });
      call.once("data", () => begun++);
      return call;
    });
    try {
      await eventually(() => begun === 250);
      await wait(500);
      assert.equal(begun, 250);
      for (const call of calls.slice(0, 100)) call.cancel();
      // From Node.js 22 on, the server counts a cancelled stream a moment longer, and refuses some.
      await eventually(() => begun + refused === 300);
    } finally {
      eager.close();
      for (const call of calls) call.cancel();
    }
  });
});
