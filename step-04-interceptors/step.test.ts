// Step 04 over the wire: what stands around every call, of all four kinds, on both sides.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { connect as connectHttp2 } from "node:http2";
import { after, before, describe, it, mock } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  type CallOptions,
  credentials,
  Metadata,
  type Responder,
  Server,
  type StatusObject,
  status,
} from "@grpc/grpc-js";
import { noSignals } from "../shared/testing/programs.ts";
import {
  eventually,
  inThisProcess,
  listenHere,
  type RunningServer,
  runClient,
  startServer,
} from "../shared/testing/servers.ts";
import { connect } from "./client/connection.ts";
import { defaultDeadlineInterceptor } from "./client/interceptors/default-deadline.ts";
import { sendRequestIdInterceptor } from "./client/interceptors/send-request-id.ts";
import { unaryCall } from "./client/unary-call.ts";
import {
  CatalogServiceClient,
  CatalogServiceService,
  GetProductRequest,
  type GetProductResponse,
} from "./gen/bakery/v1/catalog.ts";
import { OrderServiceClient } from "./gen/bakery/v1/orders.ts";
import { loggingInterceptor } from "./server/interceptors/logging.ts";
import { requestIdInterceptor } from "./server/interceptors/request-id.ts";
import { serverInterceptor } from "./server/interceptors/server-interceptor.ts";
import { unaryDeadlineInterceptor } from "./server/interceptors/unary-deadline.ts";
import { logWord } from "./server/log-line.ts";
import { reporting } from "./server/report.ts";
import { serverStream } from "./server/server-stream.ts";
import { StatusError } from "./server/status-error.ts";
import { unary } from "./server/unary.ts";

const folder = import.meta.dirname;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let server: RunningServer;
let catalog: CatalogServiceClient;
let orders: OrderServiceClient;

before(async () => {
  server = await startServer(folder, { TILL_MS: "0", KITCHEN_MS: "0", SLOW_MS: "50" });
  catalog = new CatalogServiceClient(server.address, credentials.createInsecure());
  orders = new OrderServiceClient(server.address, credentials.createInsecure());
  const lines = [{ productId: "rye", quantity: 1 }];
  await unaryCall((done) => orders.createOrder({ lines }, done));
});

after(async () => {
  catalog?.close();
  orders?.close();
  await server?.program.stop();
});

/** What a call came to: its status, and the request id that came back, first in the headers. */
interface Outcome {
  readonly code: status;
  readonly requestId: string;
}

/** What every kind of call of grpc-js has in common. */
interface AnyCall {
  on(event: "metadata", listener: (metadata: Metadata) => void): unknown;
  on(event: "status", listener: (status: StatusObject) => void): unknown;
  on(event: "error" | "data", listener: () => void): unknown;
  cancel(): void;
}

function outcome(call: AnyCall, whenMessage?: () => void): Promise<Outcome> {
  return new Promise((resolve) => {
    let requestId: string | undefined;
    const idIn = (metadata: Metadata) => metadata.get("x-request-id").join(" and ");
    call.on("error", () => {});
    call.on("data", () => whenMessage?.());
    call.on("metadata", (metadata) => {
      requestId = idIn(metadata);
    });
    call.on("status", ({ code, metadata }) =>
      resolve({ code, requestId: requestId || idIn(metadata) }),
    );
  });
}

type Call = (metadata: Metadata, options: CallOptions) => AnyCall;
const ignore = () => {};

/** A call of each kind that goes well, and how many messages it takes. */
const goodCalls: [name: string, counts: string, call: Call][] = [
  ["GetProduct", "in=1 out=1", (...how) => catalog.getProduct({ id: "rye" }, ...how, ignore)],
  [
    "SearchProducts",
    "in=1 out=1",
    (...how) => catalog.searchProducts({ query: "" }, ...how, ignore),
  ],
  [
    "RestockProducts",
    "in=2 out=1",
    (...how) => {
      const call = catalog.restockProducts(...how, ignore);
      call.write({ content: { $case: "crate", value: { productId: "rye", units: 1 } } });
      call.end({ content: { $case: "deliveryNote", value: { crates: 1 } } });
      return call;
    },
  ],
];

/** Calls of each kind that last until somebody ends them. */
const lastingCalls: [name: string, counts: string, call: Call][] = [
  [
    "WatchProducts",
    "in=1 out=1",
    (...how) => catalog.watchProducts({ productIds: ["baguette"] }, ...how),
  ],
  ["RestockProducts", "in=0 out=0", (...how) => catalog.restockProducts(...how, ignore)],
  [
    "TrackOrder",
    "in=1 out=1",
    (...how) => {
      const call = orders.trackOrder(...how);
      call.write({ content: { $case: "start", value: { orderId: "order-1" } } });
      return call;
    },
  ],
];

/** A call of each kind that fails at once. */
const badCalls: [name: string, code: status, counts: string, call: Call][] = [
  [
    "GetProduct",
    status.NOT_FOUND,
    "in=1 out=0",
    (...how) => catalog.getProduct({ id: "pie" }, ...how, ignore),
  ],
  [
    "WatchProducts",
    status.NOT_FOUND,
    "in=1 out=0",
    (...how) => catalog.watchProducts({ productIds: ["pie"] }, ...how),
  ],
  [
    "RestockProducts",
    status.INVALID_ARGUMENT,
    "in=0 out=0",
    (...how) => {
      const call = catalog.restockProducts(...how, ignore);
      call.end();
      return call;
    },
  ],
  [
    "TrackOrder",
    status.NOT_FOUND,
    "in=1 out=0",
    (...how) => {
      const call = orders.trackOrder(...how);
      call.write({ content: { $case: "start", value: { orderId: "order-9" } } });
      return call;
    },
  ],
];

function withId(...ids: string[]): Metadata {
  const metadata = new Metadata();
  for (const id of ids) metadata.add("x-request-id", id);
  return metadata;
}

const soon = (): CallOptions => ({ deadline: Date.now() + 10_000 });

/** The lines of the server's log that carry this id, once there is one. */
async function logged(requestId: string, from = server): Promise<string[]> {
  const lines = () => from.program.lines().filter((line) => line.endsWith(` id=${requestId}`));
  await eventually(() => lines().length > 0);
  return lines();
}

/** Asserts that the call is in the log, once, as `expected` says; `#` stands for a number. */
async function assertLogged(requestId: string, expected: string, from = server): Promise<void> {
  const [line = "", ...more] = await logged(requestId, from);
  const service = /^(CreateOrder|TrackOrder)/.test(expected) ? "OrderService" : "CatalogService";
  assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /);
  const rest = line.replace(/^\S+ /, "").replace(/\d+ms/, "#ms");
  assert.equal(rest, `${service}/${expected} id=${requestId}`);
  assert.deepEqual(more, []);
}

describe("the request id", () => {
  for (const [name, , call] of [
    ...goodCalls,
    ...lastingCalls.slice(0, 1),
    ...lastingCalls.slice(2),
  ]) {
    it(`of ${name} comes back as it was sent`, async () => {
      const id = randomUUID();
      const running = call(withId(id), soon());
      const { requestId } = await outcome(running, () => running.cancel());
      assert.equal(requestId, id);
    });
  }

  for (const [name, code, , call] of badCalls) {
    it(`comes back when ${name} fails`, async () => {
      const id = randomUUID();
      assert.deepEqual(await outcome(call(withId(id), soon())), { code, requestId: id });
    });
  }

  for (const id of ["x", "with space ~", "y".repeat(64)]) {
    it(`may be ${JSON.stringify(id)}`, async () => {
      const call = catalog.getProduct({ id: "rye" }, withId(id), soon(), ignore);
      assert.equal((await outcome(call)).requestId, id);
    });
  }

  for (const [title, ids] of [
    ["is missing", []],
    ["is too long", ["y".repeat(65)]],
    ["is empty", [""]],
  ] as const) {
    it(`is made by the server when it ${title}`, async () => {
      const call = catalog.getProduct({ id: "rye" }, withId(...ids), soon(), ignore);
      const { requestId } = await outcome(call);
      assert.match(requestId, UUID);
      await assertLogged(requestId, "GetProduct OK #ms in=1 out=1");
    });
  }

  it("is made by the server when it is not ASCII", async () => {
    const session = connectHttp2(`http://${server.address}`);
    try {
      const { path } = CatalogServiceService.searchProducts;
      const headers = {
        ":method": "POST",
        ":path": path,
        te: "trailers",
        "x-request-id": "caf\u00e9",
      };
      const request = session.request({ ...headers, "content-type": "application/grpc" });
      const response = new Promise<Record<string, unknown>>((resolve) =>
        request.once("response", resolve),
      );
      request.end(Buffer.alloc(5));
      assert.match(String((await response)["x-request-id"]), UUID);
    } finally {
      session.destroy();
    }
  });
});

describe("the log has one line for a call", () => {
  for (const [name, counts, call] of goodCalls) {
    it(`${name} that goes well`, async () => {
      const id = randomUUID();
      assert.equal((await outcome(call(withId(id), soon()))).code, status.OK);
      await assertLogged(id, `${name} OK #ms ${counts}`);
    });
  }

  for (const [name, code, counts, call] of badCalls) {
    it(`${name} that fails`, async () => {
      const id = randomUUID();
      await outcome(call(withId(id), soon()));
      await assertLogged(id, `${name} ${status[code]} #ms ${counts}`);
    });
  }

  for (const [name, counts, call] of lastingCalls) {
    // The end of an upload arrives before its cancel: then the server misses the delivery note.
    const orNoNote = name === "RestockProducts" ? "|INVALID_ARGUMENT" : "";

    it(`${name} that is cancelled`, async () => {
      const id = randomUUID();
      const running = call(withId(id), soon());
      const ended = outcome(running, () => running.cancel());
      // An upload has no message to wait for: another call on its connection shows that it began.
      if (name === "RestockProducts") {
        await unaryCall((done) => catalog.searchProducts({ query: "" }, done));
        running.cancel();
      }
      assert.equal((await ended).code, status.CANCELLED);
      const [line, ...more] = await logged(id);
      assert.match(line ?? "", new RegExp(`/${name} (CANCELLED${orNoNote}) \\d+ms ${counts} id=`));
      assert.deepEqual(more, []);
    });

    it(`${name} whose deadline passes`, async () => {
      const id = randomUUID();
      const { code } = await outcome(call(withId(id), { deadline: Date.now() + 300 }));
      assert.equal(code, status.DEADLINE_EXCEEDED);
      // The client hangs up at its deadline, and the server has a timer: either may be first.
      const ends = `(DEADLINE_EXCEEDED|CANCELLED${orNoNote})`;
      const [line, ...more] = await logged(id);
      assert.match(line ?? "", new RegExp(`/${name} ${ends} \\d+ms ${counts} id=`));
      assert.deepEqual(more, []);
    });
  }

  it("GetProduct whose deadline passes, of a client that doesn't hang up", async () => {
    await using slow = await startServer(folder, { SLOW_MS: "400", TILL_MS: "0" });
    const session = connectHttp2(`http://${slow.address}`);
    try {
      const id = randomUUID();
      const path = CatalogServiceService.getProduct.path;
      const grpc = { "content-type": "application/grpc", "grpc-timeout": "200m", te: "trailers" };
      const request = session.request({
        ":method": "POST",
        ":path": path,
        "x-request-id": id,
        ...grpc,
      });
      const message = Buffer.from(GetProductRequest.encode({ id: "rye" }).finish());
      request.end(Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]));
      await eventually(() => slow.program.output().includes("GetProduct: ready"));
      await assertLogged(id, "GetProduct DEADLINE_EXCEEDED #ms in=1 out=0", slow);
    } finally {
      session.destroy();
    }
  });

  it("with an id that looks like more than one field, quoted", async () => {
    const id = "1 id=2";
    await outcome(catalog.searchProducts({ query: "" }, withId(id), soon(), ignore));
    await assertLogged('"1 id=2"', "SearchProducts OK #ms in=1 out=1");
  });

  it("that the closing server ends", { skip: noSignals }, async () => {
    await using stopping = await startServer(folder, { TILL_MS: "0" });
    const stub = new CatalogServiceClient(stopping.address, credentials.createInsecure());
    const id = randomUUID();
    const call = stub.watchProducts({ productIds: ["rye"] }, withId(id), soon());
    const ended = outcome(call, () => stopping.program.kill("SIGTERM"));
    assert.equal((await ended).code, status.UNAVAILABLE);
    assert.ok(await stopping.program.ends(4000));
    await assertLogged(id, "WatchProducts UNAVAILABLE #ms in=1 out=1", stopping);
    stub.close();
  });

  it("of bytes that are no message, which grpc-js answers by itself", async () => {
    const id = randomUUID();
    const { path } = CatalogServiceService.getProduct;
    const garbage = () => Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x01]);
    const call = catalog.makeUnaryRequest(path, garbage, garbage, {}, withId(id), soon(), ignore);
    assert.deepEqual(await outcome(call), { code: status.INTERNAL, requestId: "" });
    await assertLogged(id, "GetProduct INTERNAL #ms in=0 out=0");
  });

  it("but none for a method that the server does not have: no interceptor sees it", async () => {
    const id = randomUUID();
    const path = "/bakery.v1.CatalogService/BurnProduct";
    const empty = () => Buffer.alloc(0);
    const call = catalog.makeUnaryRequest(path, empty, empty, {}, withId(id), soon(), ignore);
    assert.deepEqual(await outcome(call), { code: status.UNIMPLEMENTED, requestId: "" });
    const next = randomUUID();
    await outcome(catalog.searchProducts({ query: "" }, withId(next), soon(), ignore));
    await logged(next);
    assert.equal(server.program.output().includes(id), false);
  });
});

describe("the client", () => {
  function withDefault(deadlineMs: number): CatalogServiceClient {
    const interceptors = [defaultDeadlineInterceptor(deadlineMs), sendRequestIdInterceptor];
    return new CatalogServiceClient(server.address, credentials.createInsecure(), { interceptors });
  }

  it("gives a unary call a deadline that brings none, and leaves streams alone", async () => {
    const stub = withDefault(20); // The server takes 50 ms.
    const watch = stub.watchProducts({ productIds: ["rye"] });
    const watching = outcome(watch);
    const { code } = await outcome(stub.getProduct({ id: "rye" }, ignore));
    assert.equal(code, status.DEADLINE_EXCEEDED);
    watch.cancel();
    assert.equal((await watching).code, status.CANCELLED);
    stub.close();
  });

  it("leaves the deadline of a call that brings one", async () => {
    const stub = withDefault(20);
    const { code } = await outcome(stub.getProduct({ id: "rye" }, new Metadata(), soon(), ignore));
    assert.equal(code, status.OK);
    stub.close();
  });

  it("sends an id with every call, and keeps one that a call brings", async () => {
    const stub = withDefault(5000);
    const first = await outcome(stub.getProduct({ id: "rye" }, ignore));
    const second = await outcome(stub.getProduct({ id: "rye" }, ignore));
    assert.match(first.requestId, UUID);
    assert.notEqual(first.requestId, second.requestId);
    const own = await outcome(stub.getProduct({ id: "rye" }, withId("mine"), soon(), ignore));
    assert.equal(own.requestId, "mine");
    stub.close();
  });

  it("of the command line has all of them, for both services", async () => {
    await using stuck = await startServer(folder, { SLOW_MS: "600000" });
    const connection = connect(stuck.address, { deadlineMs: 0, verbose: false });
    const startedAt = Date.now();
    const shelf = connection.stub(CatalogServiceClient);
    const { code } = await outcome(shelf.getProduct({ id: "rye" }, ignore));
    assert.equal(code, status.DEADLINE_EXCEEDED);
    assert.ok(Date.now() - startedAt < 10_000);
    const order = connection.stub(OrderServiceClient).createOrder({ lines: [] }, ignore);
    assert.match((await outcome(order)).requestId, UUID);
    connection.close();
  });

  it("says with --verbose what a call took, with the id that the server logs", async () => {
    const env = { BAKERY_ADDRESS: server.address };
    const verbose = await runClient(folder, ["get", "rye", "--verbose"], env);
    const [, id = ""] = /^GetProduct OK \d+ms id=(\S+)\n$/.exec(verbose.stderr) ?? [];
    assert.match(id, UUID);
    await assertLogged(id, "GetProduct OK #ms in=1 out=1");
    const failed = await runClient(folder, ["get", "pie", "--verbose"], env);
    assert.match(
      failed.stderr,
      /^GetProduct NOT_FOUND \d+ms id=\S+\nNOT_FOUND: no product "pie"\n$/,
    );
    const quiet = await runClient(folder, ["get", "rye"], env);
    assert.equal(quiet.stderr, "");
  });
});

describe("an interceptor that throws ends its call, and not the server,", inThisProcess, () => {
  const bug = () => {
    throw new TypeError("hunter2 of undefined");
  };
  const refusal = () => {
    throw new StatusError(status.FAILED_PRECONDITION, "closed on Mondays");
  };
  const later = (fail: () => never) => () => Promise.resolve().then(fail);

  /** Where an interceptor may throw. */
  const places: Record<string, (fail: () => unknown) => Responder> = {
    "when it is made": (fail) => {
      fail();
      return {};
    },
    start: (fail) => ({ start: () => fail() }),
    onReceiveMetadata: (fail) => ({ start: (next) => next({ onReceiveMetadata: () => fail() }) }),
    onReceiveMessage: (fail) => ({ start: (next) => next({ onReceiveMessage: () => fail() }) }),
    onReceiveHalfClose: (fail) => ({ start: (next) => next({ onReceiveHalfClose: () => fail() }) }),
    sendMetadata: (fail) => ({ sendMetadata: () => fail() }),
    sendMessage: (fail) => ({ sendMessage: () => fail() }),
    sendStatus: (fail) => ({ sendStatus: () => fail() }),
  };

  /** Calls a server with this interceptor. Gives both outcomes, and what the server has printed. */
  async function callThrough(responder: () => Responder) {
    const print = mock.method(console, "log", () => {});
    const complain = mock.method(console, "error", () => {});
    const interceptors = [loggingInterceptor, requestIdInterceptor, serverInterceptor(responder)];
    const here = new Server({ interceptors });
    here.addService(CatalogServiceService, {
      getProduct: unary(async () => ({ product: undefined })),
      searchProducts: unary(async () => ({ products: [] })),
      restockProducts: () => {},
      watchProducts: serverStream(
        new AbortController().signal,
        async function* (_request, { signal }) {
          for (let unitsInStock = 0; !signal.aborted; unitsInStock++) {
            yield { productId: "rye", unitsInStock, observedAt: undefined };
          }
        },
      ),
    });
    const stub = new CatalogServiceClient(await listenHere(here), credentials.createInsecure());
    try {
      const get = await outcome(stub.getProduct({ id: "rye" }, withId("get"), soon(), ignore));
      const watching = stub.watchProducts({ productIds: [] }, withId("watch"), soon());
      let messages = 0;
      const watch = await outcome(watching, () => ++messages === 100 && watching.cancel());
      const lines = print.mock.calls.map(({ arguments: [line] }) => String(line));
      return { codes: [get.code, watch.code], lines, errors: complain.mock.calls };
    } finally {
      stub.close();
      here.forceShutdown();
      mock.restoreAll();
    }
  }

  for (const [place, responder] of Object.entries(places)) {
    it(`${place}: a bug is INTERNAL, and logged with the call's id`, async () => {
      const { codes, lines, errors } = await callThrough(() => responder(bug));
      // A stream whose interceptor fails at its status has been cancelled by its client before.
      const watched = place === "sendStatus" ? status.CANCELLED : status.INTERNAL;
      assert.deepEqual(codes, [status.INTERNAL, watched]);
      assert.match(
        lines[0] ?? "",
        /CatalogService\/GetProduct INTERNAL \d+ms in=\d out=\d id=get$/,
      );
      const [message, error] = errors[0]?.arguments ?? [];
      assert.match(String(message), /Z CatalogService\/GetProduct id=get failed:$/);
      assert.match(String(error), /hunter2/);
    });

    it(`${place}: a StatusError is the call's status`, async () => {
      const { codes, errors } = await callThrough(() => responder(refusal));
      assert.equal(codes[0], status.FAILED_PRECONDITION);
      assert.deepEqual(errors, []);
    });

    if (place === "when it is made") continue; // It makes its responder at once, or not at all.
    it(`${place}: one that rejects later, too`, async () => {
      const { codes } = await callThrough(() => responder(later(bug)));
      assert.equal(codes[0], status.INTERNAL);
    });
  }

  it("onCancel: the call is over, and the error is printed", async () => {
    const onCancel = (fail: () => unknown): Responder => ({
      start: (next) => next({ onCancel: () => fail() }),
    });
    for (const fail of [bug, later(bug)]) {
      const { codes, errors } = await callThrough(() => onCancel(fail));
      assert.equal(codes[0], status.OK);
      assert.match(String(errors[0]?.arguments[1]), /hunter2/);
    }
  });

  it("in the middle of a stream: what the handler sends later goes nowhere", async () => {
    let sent = 0;
    const { codes, lines } = await callThrough(() => ({
      sendMessage(message, next) {
        if (++sent > 10) refusal();
        next(message);
      },
    }));
    assert.equal(codes[1], status.FAILED_PRECONDITION);
    assert.match(lines.at(-1) ?? "", /WatchProducts FAILED_PRECONDITION .* id=watch$/);
  });
});

describe("a unary call without a deadline", inThisProcess, () => {
  it("ends all the same, and others are left alone", async () => {
    const here = new Server({ interceptors: [unaryDeadlineInterceptor(300)] });
    const getProduct = unary<unknown, GetProductResponse>(async () => {
      await setTimeout(700);
      return { product: undefined };
    });
    here.addService(CatalogServiceService, { getProduct });
    const stub = new CatalogServiceClient(await listenHere(here), credentials.createInsecure());
    try {
      const call = (options: CallOptions) =>
        unaryCall<GetProductResponse>((done) =>
          stub.getProduct({ id: "rye" }, new Metadata(), options, done),
        );
      const details = "a call without a deadline ends after 0.3 s";
      const endless = assert.rejects(call({}), { code: status.DEADLINE_EXCEEDED, details });
      assert.deepEqual(await call(soon()), { product: undefined });
      await endless;
    } finally {
      stub.close();
      here.forceShutdown();
    }
  });
});

describe("a word in the log", inThisProcess, () => {
  it("shows what a terminal would obey, or hide", () => {
    for (const [text, logged] of [
      ["rye", "rye"],
      ["Zoë Brot", '"Zoë Brot"'],
      ["a\u001b[2Jb", '"a\\u001b[2Jb"'],
      ["a\u007f\u0085\u009bb", '"a\\u007f\\u0085\\u009bb"'],
      ["a\u2028\u202eb", '"a\\u2028\\u202eb"'],
      ["a\u{e0041}b", '"a\\udb40\\udc41b"'],
    ] as const) {
      assert.equal(logWord(text), logged);
    }
  });
});

describe("a response that cannot be serialized", inThisProcess, () => {
  it("is INTERNAL in the log, with the reason beside it", async () => {
    const print = mock.method(console, "log", () => {});
    const complain = mock.method(console, "error", () => {});
    const here = new Server({ interceptors: [loggingInterceptor, requestIdInterceptor] });
    const wrong = { product: { id: "rye", name: "Rye bread", priceCents: "5.80" } };
    here.addService(reporting({ getProduct: CatalogServiceService.getProduct }), {
      getProduct: unary(async () => wrong),
    });
    const stub = new CatalogServiceClient(await listenHere(here), credentials.createInsecure());
    try {
      const call = stub.getProduct({ id: "rye" }, withId("wrong"), soon(), ignore);
      assert.equal((await outcome(call)).code, status.INTERNAL);
      assert.match(String(print.mock.calls[0]?.arguments[0]), /GetProduct INTERNAL .* id=wrong$/);
      const [message, error] = complain.mock.calls[0]?.arguments ?? [];
      assert.match(String(message), /CatalogService\/GetProduct cannot serialize the response:$/);
      assert.match(String(error), /Error: /);
    } finally {
      stub.close();
      here.forceShutdown();
      mock.restoreAll();
    }
  });
});
