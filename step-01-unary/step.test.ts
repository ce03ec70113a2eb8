// Tests step 01 over the wire: what it answers, what it refuses, and how it starts and stops.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { type AddressInfo, connect, createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { credentials, Metadata, Server, type ServiceError, status } from "@grpc/grpc-js";
import { Catalog } from "../shared/bakery/catalog.ts";
import { noSignals, Program } from "../shared/testing/programs.ts";
import {
  eventually,
  listenHere,
  type RunningServer,
  runClient,
  startProgram,
  startServer,
} from "../shared/testing/servers.ts";
import { catalogHandlers } from "./catalog/handlers.ts";
import { unaryCall } from "./client/unary-call.ts";
import {
  CatalogServiceClient,
  CatalogServiceService,
  type GetProductResponse,
  type SearchProductsResponse,
} from "./gen/bakery/v1/catalog.ts";
import { reporting } from "./server/report.ts";
import { StatusError, toStatus } from "./server/status-error.ts";
import { unary } from "./server/unary.ts";

const folder = import.meta.dirname;
let server: RunningServer;
let catalog: CatalogServiceClient;

before(async () => {
  server = await startServer(folder);
  catalog = new CatalogServiceClient(server.address, credentials.createInsecure());
});

after(async () => {
  catalog?.close();
  await server?.program.stop();
});

function getProduct(id: string, stub = catalog, deadlineMs = 5000): Promise<GetProductResponse> {
  const options = { deadline: Date.now() + deadlineMs };
  return unaryCall((done) => stub.getProduct({ id }, new Metadata(), options, done));
}

function searchProducts(query: string, stub = catalog): Promise<SearchProductsResponse> {
  const options = { deadline: Date.now() + 5000 };
  return unaryCall((done) => stub.searchProducts({ query }, new Metadata(), options, done));
}

async function idsFound(query: string): Promise<string[]> {
  return (await searchProducts(query)).products.map(({ id }) => id);
}

describe("GetProduct", () => {
  it("returns every field of the product", async () => {
    assert.deepEqual(await getProduct("sourdough"), {
      product: {
        id: "sourdough",
        name: "Sourdough loaf",
        description: "Wheat, slowly risen, with a dark crust",
        priceCents: 650,
        unitsInStock: 12,
      },
    });
  });

  for (const id of ["", " ", "Rye", "rye\n", "-rye", "rye bread", "яблоко", "a".repeat(65)]) {
    it(`refuses the id ${JSON.stringify(id)}`, async () => {
      await assert.rejects(getProduct(id), { code: status.INVALID_ARGUMENT });
    });
  }

  it("suggests the nearest id for an unknown one", async () => {
    const details = 'no product "sourdoh"; did you mean sourdough?';
    await assert.rejects(getProduct("sourdoh"), { code: status.NOT_FOUND, details });
  });

  it("suggests nothing if no id is similar", async () => {
    const details = 'no product "zzzzzzzzzz"';
    await assert.rejects(getProduct("zzzzzzzzzz"), { code: status.NOT_FOUND, details });
  });
});

describe("SearchProducts", () => {
  it("lists everything, in the order of the shelf, for an empty query", async () => {
    const ids = await idsFound("");
    assert.equal(ids.length, 10);
    assert.deepEqual(ids.slice(0, 3), ["sourdough", "rye", "baguette"]);
    assert.deepEqual(await idsFound("   "), ids);
  });

  it("requires every word, case-insensitive, in the name or the description", async () => {
    assert.deepEqual(await idsFound("BUTTER pastry"), ["apple-tart"]);
    assert.deepEqual(await idsFound("butter sawdust"), []);
  });

  it("puts the best match first", async () => {
    // The pain au chocolat's description has the word; the croissant's name counts more.
    assert.deepEqual(await idsFound("croissant"), ["croissant", "pain-au-chocolat"]);
    assert.deepEqual(await idsFound("chocolat"), ["pain-au-chocolat"]);
    assert.deepEqual(await idsFound("loaf"), ["sourdough", "brioche"]);
    assert.deepEqual(await idsFound("sweet"), ["brioche", "cinnamon-roll"]);
  });

  it("accepts 200 characters and refuses 201", async () => {
    assert.deepEqual(await idsFound("🥖".repeat(200)), []);
    await assert.rejects(searchProducts("x".repeat(201)), { code: status.INVALID_ARGUMENT });
  });

  it("doesn't count the characters of 4 MB", async (test) => {
    const counted = test.mock.method(String.prototype, Symbol.iterator); // as in [...query]
    const here = new Server();
    here.addService(CatalogServiceService, catalogHandlers(new Catalog(), { slowMs: 0 }));
    const stub = new CatalogServiceClient(await listenHere(here), credentials.createInsecure());
    try {
      const refused = { code: status.INVALID_ARGUMENT };
      await assert.rejects(searchProducts("x".repeat(201), stub), refused);
      await assert.rejects(searchProducts("x".repeat(4_000_000), stub), refused);
      const lengths = counted.mock.calls.map((call) => String(call.this).length);
      assert.ok(lengths.includes(201));
      assert.ok(!lengths.includes(4_000_000));
    } finally {
      stub.close();
      here.forceShutdown();
    }
  });
});

describe("a call that goes wrong", () => {
  it("because the bytes aren't a message ends with INTERNAL, and the server keeps running", async () => {
    const { path } = CatalogServiceService.getProduct;
    const garbage = Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x01]);
    const call = unaryCall((done) =>
      catalog.makeUnaryRequest(
        path,
        () => garbage,
        (bytes) => bytes,
        {},
        done,
      ),
    );
    await assert.rejects(call, { code: status.INTERNAL });
    assert.equal((await getProduct("rye")).product?.name, "Rye bread");
  });

  it("because there is no such method ends with UNIMPLEMENTED", async () => {
    const path = "/bakery.v1.CatalogService/BurnProduct";
    const call = unaryCall((done) =>
      catalog.makeUnaryRequest(
        path,
        () => Buffer.alloc(0),
        (bytes) => bytes,
        {},
        done,
      ),
    );
    await assert.rejects(call, { code: status.UNIMPLEMENTED });
  });

  it("with details that are too long or not valid text keeps what can be sent", async () => {
    const wordy = new Server();
    const details = ["é".repeat(100_000), `ab\ud83d`];
    const getProduct = unary<{ id: string }, GetProductResponse>(async ({ id }) => {
      throw new StatusError(status.NOT_FOUND, details[Number(id)] ?? "");
    });
    wordy.addService(CatalogServiceService, { getProduct });
    const stub = new CatalogServiceClient(await listenHere(wordy), credentials.createInsecure());
    const outcomeOf = (id: string) =>
      unaryCall<GetProductResponse>((done) =>
        stub.getProduct({ id }, new Metadata(), { deadline: Date.now() + 5000 }, done),
      );
    try {
      const kept = { code: status.NOT_FOUND, details: "é".repeat(512) };
      await assert.rejects(outcomeOf("0"), kept);
      await assert.rejects(outcomeOf("1"), { details: "ab\ufffd" });
    } finally {
      stub.close();
      wordy.forceShutdown();
    }
  });

  it("because of a bug ends with INTERNAL, without the error's text, and is logged", async (test) => {
    const log = test.mock.method(console, "error", () => {});
    const buggy = new Server();
    buggy.addService(CatalogServiceService, {
      getProduct: unary(async () => {
        throw new Error("password is hunter2");
      }),
      searchProducts: unary(async () => ({ products: [] })),
    });
    const stub = new CatalogServiceClient(await listenHere(buggy), credentials.createInsecure());
    try {
      await assert.rejects(getProduct("rye", stub), (error: ServiceError) => {
        assert.equal(error.code, status.INTERNAL);
        assert.doesNotMatch(error.message + error.details, /hunter2/);
        return true;
      });
      assert.match(String(log.mock.calls[0]?.arguments[1]), /hunter2/);
    } finally {
      stub.close();
      buggy.forceShutdown();
    }
  });

  it("stops a handler that waits with the signal, and logs nothing", async (test) => {
    const log = test.mock.method(console, "error", () => {});
    const patient = new Server();
    let ended: unknown;
    const wait = unary<{ id: string }, GetProductResponse>(async (_request, { signal }) => {
      await setTimeout(60_000, undefined, { signal }).catch((thrown: unknown) => {
        ended = thrown;
        throw thrown;
      });
      return { product: undefined };
    });
    patient.addService(CatalogServiceService, { getProduct: wait });
    const stub = new CatalogServiceClient(await listenHere(patient), credentials.createInsecure());
    try {
      const late = { code: status.DEADLINE_EXCEEDED };
      await assert.rejects(getProduct("rye", stub, 200), late);
      await eventually(() => ended !== undefined);
      const call = { metadata: new Metadata(), getPath: () => "" };
      assert.equal(toStatus(ended, call).code, status.CANCELLED);
      assert.deepEqual(log.mock.calls, []);
    } finally {
      stub.close();
      patient.forceShutdown();
    }
  });

  it("because its response can't be serialized ends with INTERNAL, and is logged with the reason", async (test) => {
    const log = test.mock.method(console, "error", () => {});
    const forgetful = new Server();
    const product = { id: "rye", name: "Rye bread" }; // Types would show what is missing.
    forgetful.addService(reporting(CatalogServiceService), {
      getProduct: unary(async () => ({ product: { ...product, priceCents: "5.80" } })),
      searchProducts: unary(async () => ({ products: [] })),
    });
    const stub = new CatalogServiceClient(
      await listenHere(forgetful),
      credentials.createInsecure(),
    );
    try {
      await assert.rejects(getProduct("rye", stub), { code: status.INTERNAL });
      const [message, reason] = log.mock.calls[0]?.arguments ?? [];
      assert.match(String(message), /CatalogService\/GetProduct: cannot serialize the response/);
      assert.match(String(reason), /^Error: invalid int32|^TypeError|int32/i);
    } finally {
      stub.close();
      forgetful.forceShutdown();
    }
  });

  it("because it took too long ends with DEADLINE_EXCEEDED, while the handler works on", async () => {
    await using slow = await startServer(folder, { SLOW_MS: "700" });
    const stub = new CatalogServiceClient(slow.address, credentials.createInsecure());
    try {
      const call = getProduct("rye", stub, 200);
      await assert.rejects(call, { code: status.DEADLINE_EXCEEDED });
      const noticed = () => slow.program.output().includes("the client no longer waits");
      assert.equal(noticed(), false);
      assert.ok(await slow.program.until(noticed, 10_000), slow.program.output());
    } finally {
      stub.close();
    }
  });
});

describe("the server", () => {
  it("prints one line when it is ready", () => {
    assert.match(server.program.output(), /^listening on 127\.0\.0\.1:\d+\n$/);
  });

  it("finishes the calls in progress when told to stop, and refuses new ones", {
    skip: noSignals,
  }, async () => {
    await using slow = await startServer(folder, { SLOW_MS: "1000" });
    const stub = new CatalogServiceClient(slow.address, credentials.createInsecure());
    const late = new CatalogServiceClient(slow.address, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1, // a connection of its own
    });
    try {
      const underWay = getProduct("rye", stub);
      await searchProducts("", stub); // answered after the other call arrived
      slow.program.kill("SIGTERM");
      assert.equal((await underWay).product?.id, "rye");
      await slow.program.ends(30_000);
      assert.equal(slow.program.exitCode, 0);
      await assert.rejects(getProduct("rye", late), { code: status.UNAVAILABLE });
    } finally {
      stub.close();
      late.close();
    }
  });

  it("stops after its grace period even if a call never ends", {
    skip: noSignals,
  }, async () => {
    await using stuck = await startServer(folder, { SLOW_MS: "600000" });
    const stub = new CatalogServiceClient(stuck.address, credentials.createInsecure());
    try {
      const hopeless = assert.rejects(getProduct("rye", stub, 60_000));
      await searchProducts("", stub);
      stuck.program.interrupt();
      assert.ok(await stuck.program.ends(30_000), "still running");
      assert.equal(stuck.program.exitCode, 1); // It had to cut off the call.
      await hopeless;
    } finally {
      stub.close();
    }
  });

  it("stops after its grace period even if a connection is silent and a client is frozen", {
    skip: noSignals,
  }, async () => {
    await using server = await startServer(folder, {
      SLOW_MS: "600000",
      GRPC_VERBOSITY: "DEBUG",
      GRPC_TRACE: "server_call",
    });
    const [host, port] = server.address.split(":");
    const silent = connect(Number(port), host);
    silent.on("error", () => {});
    await once(silent, "connect");
    const args = ["get", "rye", "--deadline-ms", "60000", "--address", server.address];
    const frozen = startProgram(folder, "client.ts", args);
    try {
      const called = () => server.program.output().includes("Received call to method");
      assert.ok(await server.program.until(called, 20_000), server.program.output());
      frozen.kill("SIGSTOP");
      server.program.kill("SIGTERM");
      // Without a timer of its own, the process would wait for these peers for over a minute.
      assert.ok(await server.program.ends(10_000), "still running");
      assert.equal(server.program.exitCode, 1);
    } finally {
      silent.destroy();
      await frozen.stop(0);
    }
  });

  it("doesn't print the value of a header that grpc-js can't read", async () => {
    const session = connectHttp2(`http://${server.address}`);
    const request = session.request({
      ":method": "POST",
      ":path": CatalogServiceService.getProduct.path,
      "content-type": "application/grpc",
      te: "trailers",
      authorization: "Bearer\tsecret-token",
    });
    request.on("error", () => {});
    request.end(Buffer.alloc(5));
    await once(request, "close");
    session.destroy();
    const line = "E Failed to add metadata entry authorization: its value can't be read";
    assert.ok(server.program.output().includes(line), server.program.output());
    assert.ok(!server.program.output().includes("secret-token"), server.program.output());
  });

  it("ends even if it is told to stop before it listens", async () => {
    const script = `
      import { Server, ServerCredentials } from "@grpc/grpc-js";
      import { serve } from ${JSON.stringify(import.meta.resolve("./server/lifecycle.ts"))};
      const credentials = ServerCredentials.createInsecure();
      await serve(new Server(), { credentials, host: "127.0.0.1", port: 0 }, AbortSignal.abort());`;
    const args = ["--import", "tsx/esm", "--input-type=module", "--eval", script];
    const program = new Program({ file: process.execPath, args, cwd: folder, env: process.env });
    try {
      assert.ok(await program.ends(30_000), "still running");
      assert.equal(program.exitCode, 0, program.output());
    } finally {
      await program.stop();
    }
  });

  it("prints one line if its port is in use", async () => {
    const [, port = ""] = server.address.split(":");
    const second = startProgram(folder, "server.ts", [], { PORT: port });
    try {
      assert.ok(await second.ends(20_000));
      assert.equal(second.exitCode, 1);
      assert.match(second.output(), /^cannot listen on 127\.0\.0\.1:\d+: the port is in use.*\n$/);
    } finally {
      await second.stop();
    }
  });

  it("refuses an invalid setting", async () => {
    const wrong = startProgram(folder, "server.ts", [], { PORT: "http" });
    try {
      assert.ok(await wrong.ends(20_000));
      assert.equal(wrong.exitCode, 2);
      assert.match(wrong.output(), /^PORT must be a whole number from 0 to 65535, not "http"\n$/);
    } finally {
      await wrong.stop();
    }
  });
});

describe("the client", () => {
  it("prints a product", async () => {
    const run = await runClient(folder, ["get", "rye", "--address", server.address]);
    const stdout = "ID: rye\nName: Rye bread\nPrice: $5.80\nIn stock: 8\n";
    assert.deepEqual(run, { stdout, stderr: "", exitCode: 0 });
  });

  it("prints a table, and reads the address from the environment", async () => {
    const run = await runClient(folder, ["search", "rye"], { BAKERY_ADDRESS: server.address });
    assert.deepEqual(run, { stdout: "rye  Rye bread  $5.80  8 left\n", stderr: "", exitCode: 0 });
  });

  it("prints one line that says why a call failed", async () => {
    const run = await runClient(folder, ["get", "nothing", "--address", server.address]);
    assert.deepEqual(run, {
      stdout: "",
      stderr: 'NOT_FOUND: no product "nothing"\n',
      exitCode: 69,
    });
  });

  it("says what to check if nothing listens", async () => {
    const run = await runClient(folder, ["get", "rye", "--address", "127.0.0.1:1"]);
    assert.equal(run.exitCode, 78);
    assert.match(run.stderr, /^UNAVAILABLE: .*is the server running\? which port .*\n$/);
  });

  it("uses the deadline that it is given", async () => {
    await using slow = await startServer(folder, { SLOW_MS: "60000" });
    const args = ["get", "rye", "--address", slow.address, "--deadline-ms", "100"];
    const run = await runClient(folder, args);
    assert.equal(run.exitCode, 68);
    assert.match(run.stderr, /^DEADLINE_EXCEEDED: .*\n$/);
  });

  describe("sends nothing and shows the usage for", () => {
    let connections = 0;
    const listener = createServer(() => connections++);
    before(() => once(listener.listen(0, "127.0.0.1"), "listening"));
    after(() => listener.close());

    for (const args of [
      [],
      ["bake"],
      ["get"],
      ["get", "rye", "wheat"],
      ["get", "rye", "--sliced"],
      ["get", "rye", "--deadline-ms", "soon"],
      ["get", "rye", "--address", "http://127.0.0.1:50051"],
      ["get", "rye", "--address", "127.0.0.1"],
    ]) {
      it(`client.ts ${args.join(" ")}`, async () => {
        const { port } = listener.address() as AddressInfo;
        const run = await runClient(folder, args, { BAKERY_ADDRESS: `127.0.0.1:${port}` });
        assert.equal(run.exitCode, 2);
        assert.equal(run.stdout, "");
        assert.match(run.stderr, /^Usage: npx tsx .*client\.ts COMMAND/m);
        assert.doesNotMatch(run.stderr, /^ {4}at /m);
        assert.equal(connections, 0);
      });
    }
  });
});
