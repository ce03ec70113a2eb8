// Step 05 over the wire: who may call what, and every way to be somebody that one is not.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import {
  type CallOptions,
  credentials,
  Metadata,
  Server,
  type ServiceError,
  type StatusObject,
  status,
} from "@grpc/grpc-js";
import { generateKeyPair, importPKCS8, SignJWT } from "jose";
import { Catalog } from "../shared/bakery/catalog.ts";
import { OrderBook } from "../shared/bakery/orders.ts";
import { shelfOf } from "../shared/bakery/stock.ts";
import {
  eventually,
  listenHere,
  type RunningServer,
  runClient,
  startServer,
} from "../shared/testing/servers.ts";
import { unaryCall } from "./client/unary-call.ts";
import {
  CatalogServiceClient,
  type GetProductResponse,
  type RestockProductsResponse,
} from "./gen/bakery/v1/catalog.ts";
import {
  type CreateOrderResponse,
  OrderServiceClient,
  OrderServiceService,
} from "./gen/bakery/v1/orders.ts";
import { orderHandlers } from "./orders/handlers.ts";
import { isOpen, mayCall, type Policy } from "./security/policy.ts";
import { tokenVerifier } from "./security/verify-token.ts";

const folder = import.meta.dirname;
const run = promisify(execFile);

let keys: string;
let server: RunningServer;
let catalog: CatalogServiceClient;
let orders: OrderServiceClient;
let baker: string;
let customer: string;

before(async () => {
  keys = join(mkdtempSync(join(tmpdir(), "course-keys-")), "keys");
  // The server, and somebody who wants a token, both find no keys yet.
  [server, baker, customer] = await Promise.all([
    startServer(folder, { KEYS: keys, TILL_MS: "0", KITCHEN_MS: "0" }),
    printToken("--user", "ada", "--role", "baker"),
    printToken("--user", "bob"),
  ]);
  catalog = new CatalogServiceClient(server.address, credentials.createInsecure());
  orders = new OrderServiceClient(server.address, credentials.createInsecure());
});

after(async () => {
  catalog?.close();
  orders?.close();
  await server?.program.stop();
  rmSync(join(keys, ".."), { recursive: true, force: true });
});

async function printToken(...args: string[]): Promise<string> {
  const program = ["--import", "tsx/esm", join(folder, "token.ts"), ...args];
  const { stdout } = await run(process.execPath, program, { env: { ...process.env, KEYS: keys } });
  return stdout.trimEnd();
}

const now = () => Math.floor(Date.now() / 1000);
const goodClaims = () => ({
  iss: "bakery",
  aud: "bakery.v1",
  sub: "eve",
  role: "baker",
  iat: now(),
  exp: now() + 60,
});

/**
 * A token as the bakery would sign it, but for what is given. A claim set to undefined is left out.
 */
async function forge(
  claims: Record<string, unknown> = {},
  key?: Awaited<ReturnType<typeof importPKCS8>>,
): Promise<string> {
  const pem = readFileSync(join(keys, "private-key.pem"), "utf8");
  return await new SignJWT({ ...goodClaims(), ...claims })
    .setProtectedHeader({ alg: "EdDSA" })
    .sign(key ?? (await importPKCS8(pem, "EdDSA")));
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}

function bearing(token: string, metadata = new Metadata()): Metadata {
  metadata.set("authorization", `Bearer ${token}`);
  return metadata;
}

const soon = (): CallOptions => ({ deadline: Date.now() + 10_000 });

function restock(metadata: Metadata, units = 1): Promise<RestockProductsResponse> {
  return unaryCall((done) => {
    const call = catalog.restockProducts(metadata, soon(), done);
    call.write({ content: { $case: "crate", value: { productId: "rye", units } } });
    call.end({ content: { $case: "deliveryNote", value: { crates: 1 } } });
  });
}

async function stock(): Promise<number | undefined> {
  const { product } = await unaryCall<GetProductResponse>((done) =>
    catalog.getProduct({ id: "rye" }, new Metadata(), soon(), done),
  );
  return product?.unitsInStock;
}

/** What the server's log says of the call with this id. */
async function logged(id: string): Promise<string> {
  const line = () => server.program.lines().find((text) => text.endsWith(` id=${id}`));
  await eventually(() => line() !== undefined);
  return line() ?? "";
}

function order(metadata: Metadata): Promise<CreateOrderResponse> {
  const lines = [{ productId: "croissant", quantity: 1 }];
  return unaryCall((done) => orders.createOrder({ lines }, metadata, soon(), done));
}

interface AnyStream {
  on(event: "error" | "data", listener: () => void): unknown;
  on(event: "status", listener: (status: StatusObject) => void): unknown;
  cancel(): void;
}

/** What a stream ends with; OK if a message came first, and then it is cancelled. */
function streamOutcome(call: AnyStream): Promise<status> {
  return new Promise((resolve) => {
    call.on("error", () => {});
    call.on("data", () => {
      resolve(status.OK);
      call.cancel();
    });
    call.on("status", ({ code }) => resolve(code));
  });
}

function track(orderId: string, metadata: Metadata): Promise<status> {
  const call = orders.trackOrder(metadata, soon());
  call.write({ content: { $case: "start", value: { orderId } } });
  return streamOutcome(call);
}

function watch(metadata: Metadata): Promise<status> {
  return streamOutcome(catalog.watchProducts({ productIds: ["rye"] }, metadata, soon()));
}

async function codeOf(call: Promise<unknown>): Promise<status> {
  return await call.then(
    () => status.OK,
    (error: ServiceError) => error.code,
  );
}

describe("the policy", () => {
  for (const [who, token, expected] of [
    ["nobody", () => undefined, [status.OK, status.UNAUTHENTICATED, status.UNAUTHENTICATED]],
    ["a customer", () => customer, [status.OK, status.OK, status.PERMISSION_DENIED]],
    ["a baker", () => baker, [status.OK, status.OK, status.OK]],
  ] as const) {
    it(`lets ${who} call what it says, of all four kinds, and nothing else`, async () => {
      const { order: placed } = await order(bearing(baker));
      const metadata = () => {
        const known = token();
        return known === undefined ? new Metadata() : bearing(known);
      };
      const [open, anyToken, bakers] = expected;
      const get = unaryCall((done) => catalog.getProduct({ id: "rye" }, metadata(), soon(), done));
      const search = unaryCall((done) =>
        catalog.searchProducts({ query: "" }, metadata(), soon(), done),
      );
      assert.equal(await codeOf(get), open);
      assert.equal(await codeOf(search), open);
      assert.equal(await watch(metadata()), open);
      assert.equal(await codeOf(order(metadata())), anyToken);
      assert.equal(await codeOf(restock(metadata())), bakers);
      // A customer may track, but this order is the baker's.
      const tracked = who === "a customer" ? status.NOT_FOUND : anyToken;
      assert.equal(await track(placed?.id ?? "", metadata()), tracked);
    });
  }

  it("refuses a method that it does not name", () => {
    const baker = { userId: "ada", role: "baker" } as const;
    for (const path of ["/bakery.v1.OrderService/BurnOrder", "constructor", ""]) {
      assert.equal(isOpen(path), false);
      assert.equal(mayCall(path, baker), false);
    }
  });

  it("does not compile if it lacks a method", () => {
    // If tsc finds no error in the next line, it reports this comment: npm run check fails.
    // @ts-expect-error TS2741: there is no entry for TrackOrder.
    const lacking: Policy = {
      "/bakery.v1.CatalogService/GetProduct": "anyone",
      "/bakery.v1.CatalogService/SearchProducts": "anyone",
      "/bakery.v1.CatalogService/WatchProducts": "anyone",
      "/bakery.v1.CatalogService/RestockProducts": ["baker"],
      "/bakery.v1.OrderService/CreateOrder": ["customer", "baker"],
    };
    assert.equal("/bakery.v1.OrderService/TrackOrder" in lacking, false);
  });

  it("is not all that stands between nobody and an order", async () => {
    const unguarded = new Server(); // No interceptor at all.
    const book = new OrderBook(shelfOf(new Catalog()));
    const { signal } = new AbortController();
    unguarded.addService(
      OrderServiceService,
      orderHandlers(new Catalog(), book, { closing: signal }),
    );
    const stub = new OrderServiceClient(await listenHere(unguarded), credentials.createInsecure());
    try {
      const lines = [{ productId: "rye", quantity: 1 }];
      const placed = unaryCall((done) => stub.createOrder({ lines }, new Metadata(), soon(), done));
      assert.equal(await codeOf(placed), status.UNAUTHENTICATED);
      assert.deepEqual(book.list(), []);
    } finally {
      stub.close();
      unguarded.forceShutdown();
    }
  });

  it("keeps a refused upload from being read, and its handler from running", async () => {
    const before = await stock();
    const id = randomUUID();
    const metadata = new Metadata();
    metadata.set("x-request-id", id);
    assert.equal(await codeOf(restock(metadata, 1000)), status.UNAUTHENTICATED);
    assert.match(
      await logged(id),
      / CatalogService\/RestockProducts UNAUTHENTICATED \d+ms in=0 out=0 user=- id=/,
    );
    assert.equal(await stock(), before);
  });
});

describe("a token is refused", () => {
  const refused: [title: string, details: string, token: () => Promise<string>][] = [
    ["of garbage", "token invalid", async () => "garbage"],
    ["of three dots", "token invalid", async () => ".."],
    [
      "signed with another key",
      "token invalid",
      async () => forge({}, (await generateKeyPair("EdDSA")).privateKey),
    ],
    [
      "without a signature, alg none",
      "token invalid",
      async () => `${encode({ alg: "none" })}.${encode(goodClaims())}.`,
    ],
    [
      "signed with the public key as a secret, HS256",
      "token invalid",
      async () => {
        const text = `${encode({ alg: "HS256" })}.${encode(goodClaims())}`;
        const secret = readFileSync(join(keys, "public-key.pem"));
        return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
      },
    ],
    [
      "whose payload was changed",
      "token invalid",
      async () => {
        const [header, , signature] = customer.split(".");
        return `${header}.${encode({ ...goodClaims(), sub: "bob" })}.${signature}`;
      },
    ],
    ["of another issuer", "token invalid", () => forge({ iss: "butcher" })],
    ["for another audience", "token invalid", () => forge({ aud: "butcher.v1" })],
    ["that has expired", "token expired", () => forge({ exp: now() - 1 })],
    ["that is not yet valid", "token invalid", () => forge({ nbf: now() + 60 })],
    ["without exp", "token invalid", () => forge({ exp: undefined })],
    ["without sub", "token invalid", () => forge({ sub: undefined })],
    ["with a sub that is a number", "token invalid", () => forge({ sub: 17 })],
    ["with a sub that is an object", "token invalid", () => forge({ sub: { name: "ada" } })],
    ["with an empty sub", "token invalid", () => forge({ sub: "" })],
    ["without iat", "token invalid", () => forge({ iat: undefined })],
    ["without a role", "token invalid", () => forge({ role: undefined })],
    ["with an unknown role", "token invalid", () => forge({ role: "king" })],
    ["with a role that is no word", "token invalid", () => forge({ role: ["baker"] })],
    ["of 16 KiB", "token invalid", () => forge({ extra: "x".repeat(12 * 1024) })],
  ];

  for (const [title, details, token] of refused) {
    it(title, async () => {
      const metadata = bearing(await token());
      const before = await stock();
      await assert.rejects(restock(metadata), { code: status.UNAUTHENTICATED, details });
      assert.equal(await codeOf(order(metadata)), status.UNAUTHENTICATED);
      assert.equal(await track("order-1", metadata), status.UNAUTHENTICATED);
      assert.equal(await watch(metadata), status.UNAUTHENTICATED);
      assert.equal(await stock(), before);
    });
  }

  it("when it is missing", async () => {
    const details = "token missing";
    await assert.rejects(restock(new Metadata()), { code: status.UNAUTHENTICATED, details });
  });

  for (const header of [
    "",
    "Bearer",
    "Bearer ",
    "Basic YWRhOmFkYQ==",
    "TOKEN",
    "x Bearer TOKEN",
    "Bearer TOKEN x",
  ]) {
    it(`in the header ${JSON.stringify(header)}`, async () => {
      const metadata = new Metadata();
      metadata.set("authorization", header.replace("TOKEN", baker));
      await assert.rejects(restock(metadata), { code: status.UNAUTHENTICATED });
    });
  }

  it("when two authorization headers come: HTTP/2 of Node.js knows the first alone", async () => {
    assert.equal(await codeOf(restock(new Metadata())), status.UNAUTHENTICATED);
    const twice = new Metadata();
    twice.add("authorization", "Bearer garbage");
    twice.add("authorization", `Bearer ${baker}`);
    // A client of Node.js refuses to send them.
    assert.notEqual(await codeOf(restock(twice)), status.OK);
    // From any other client the second is dropped before anybody looks: it never helps the first.
    const id = randomUUID();
    const close = rawCall(id, ["Bearer garbage", `Bearer ${baker}`]);
    assert.match(await logged(id), / OrderService\/CreateOrder UNAUTHENTICATED /);
    close();
  });
});

describe("a token that is good", () => {
  it("puts its user into the order, and into the log", async () => {
    const id = randomUUID();
    const metadata = bearing(customer);
    metadata.set("x-request-id", id);
    const { order: placed } = await order(metadata);
    assert.equal(placed?.customerId, "bob");
    assert.match(await logged(id), / OrderService\/CreateOrder OK \d+ms in=1 out=1 user=bob id=/);
  });

  it("cannot make its user's name look like another line or field of the log", async () => {
    const id = randomUUID();
    const metadata = bearing(await forge({ sub: "eve id=1\nOK user=ada" }));
    metadata.set("x-request-id", id);
    await order(metadata);
    assert.match(await logged(id), / user="eve id=1\\nOK user=ada" id=/);
  });

  it("shows an order to its own customer and to bakers; to others it does not exist", async () => {
    const { order: placed } = await order(bearing(customer));
    const id = placed?.id ?? "";
    const other = await printToken("--user", "eve", "--role", "customer");
    assert.equal(await track(id, bearing(customer)), status.OK);
    assert.equal(await track(id, bearing(baker)), status.OK);
    assert.equal(await track(id, bearing(other)), status.NOT_FOUND);
  });

  it("is all that tells who calls: other metadata is not believed", async () => {
    const metadata = bearing(customer);
    for (const name of ["user", "x-user", "identity", "role", "sub", "customer-id"]) {
      metadata.set(name, name === "role" ? "baker" : "ada");
    }
    const { order: placed } = await order(metadata);
    assert.equal(placed?.customerId, "bob");
    assert.equal(await codeOf(restock(metadata)), status.PERMISSION_DENIED);
  });

  it("is accepted whatever the case of Bearer", async () => {
    const metadata = new Metadata();
    metadata.set("authorization", `bearer ${baker}`);
    assert.deepEqual(await restock(metadata), { products: 1, units: 1 });
  });
});

describe("checking a token", () => {
  const publicKey = () => readFileSync(join(keys, "public-key.pem"), "utf8");

  it("is done once for a token, and not beyond its end", async () => {
    const verify = await tokenVerifier(publicKey());
    const token = await forge({ exp: now() + 2 });
    const identity = await verify(token);
    assert.deepEqual(identity, { userId: "eve", role: "baker" });
    assert.equal(await verify(token), identity, "checked again");
    const over = (now() + 2) * 1000;
    await eventually(() => Date.now() > over + 20);
    assert.equal(await verify(token), "token expired");
  });

  it("remembers a bounded number of tokens", async () => {
    const verify = await tokenVerifier(publicKey());
    const first = await forge({ sub: "first" });
    const identity = await verify(first);
    for (let other = 0; other < 1000; other++) await verify(await forge({ sub: `user-${other}` }));
    const again = await verify(first);
    assert.deepEqual(again, identity);
    assert.notEqual(again, identity, "still remembered");
  });
});

describe("the programs", () => {
  const client = (...args: string[]) => runClient(folder, args, { BAKERY_ADDRESS: server.address });

  it("make the keys once, the private one readable by its owner only", async () => {
    assert.deepEqual(readdirSync(keys), ["private-key.pem", "public-key.pem"]);
    assert.deepEqual(readdirSync(join(keys, "..")), ["keys"]);
    if (process.platform === "win32") return;
    assert.equal(statSync(join(keys, "private-key.pem")).mode & 0o777, 0o600);
  });

  it("make a public key that only its owner may replace, whatever the umask is", async () => {
    const KEYS = join(keys, "..", "umask", "keys");
    const umask = process.umask(0);
    const made = runClient(folder, ["--user", "ada", "--role", "baker"], { KEYS }, "token.ts");
    process.umask(umask); // The program has been started, with the other one.
    assert.equal((await made).exitCode, 0);
    if (process.platform === "win32") return;
    assert.equal(statSync(join(KEYS, "public-key.pem")).mode & 0o777, 0o644);
  });

  it("take the token from an option or the environment", async () => {
    const refused = await client("restock", "rye=1");
    assert.equal(refused.exitCode, 80);
    assert.match(
      refused.stderr,
      /^UNAUTHENTICATED: token missing \(BAKERY_TOKEN or --token .*\)\n$/,
    );
    const bob = await client("restock", "rye=1", "--token", customer);
    assert.deepEqual(
      [bob.stderr, bob.exitCode],
      ["PERMISSION_DENIED: the role customer may not call this method\n", 71],
    );
    const ada = await client("restock", "rye=1", "--token", baker);
    assert.deepEqual([ada.stdout, ada.exitCode], ["restocked 1 unit of 1 product\n", 0]);
    const env = { BAKERY_ADDRESS: server.address, BAKERY_TOKEN: customer };
    const ordered = await runClient(folder, ["order", "croissant=1"], env);
    assert.equal(ordered.exitCode, 0, ordered.stderr);
  });

  it("never show a token: not in help, not in an error, not in the server's log", async () => {
    const env = { BAKERY_TOKEN: "sesame" };
    assert.doesNotMatch((await runClient(folder, ["--help"], env)).stdout, /sesame/);
    const broken = await runClient(folder, ["get", "rye", "--token", "open sesame"], {});
    assert.equal(broken.exitCode, 2);
    assert.doesNotMatch(broken.stderr, /sesame/);
    for (const token of [baker, customer, "garbage"]) {
      assert.equal(server.program.output().includes(token), false);
    }
  });

  it("print a token only for a user, a known role and a time", async () => {
    for (const args of [[], ["--user", "x", "--role", "king"], ["--user", "x", "--ttl", "soon"]]) {
      await assert.rejects(printToken(...args), { code: 2, stdout: "" });
    }
    const [, claims = ""] = (await printToken("--user", "x", "--ttl", "15m")).split(".");
    const { iat, exp, ...rest } = JSON.parse(Buffer.from(claims, "base64url").toString());
    assert.equal(exp - iat, 900);
    assert.deepEqual(rest, { iss: "bakery", aud: "bakery.v1", sub: "x", role: "customer" });
  });
});

/** A CreateOrder with these authorization headers, written byte by byte. Gives its end. */
function rawCall(id: string, authorizations: string[]): () => void {
  const headers: [string, string][] = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", OrderServiceService.createOrder.path],
    [":authority", server.address],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
    ["x-request-id", id],
    ...authorizations.map((value): [string, string] => ["authorization", value]),
  ];
  // RFC 7541, 6.2.2: literal header fields without indexing, new names, no Huffman coding.
  const fields = headers.map(([name, value]) =>
    Buffer.concat([Buffer.of(0), hpackString(name), hpackString(value)]),
  );
  const [host, port] = server.address.split(":");
  const socket = connectTcp(Number(port), host);
  socket.on("error", () => {});
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  socket.write(frame(4, 0, 0, Buffer.alloc(0))); // SETTINGS
  socket.write(frame(1, 0x4, 1, Buffer.concat(fields))); // HEADERS, END_HEADERS
  socket.write(frame(0, 0x1, 1, Buffer.alloc(5))); // DATA: an empty message, END_STREAM
  return () => socket.destroy();
}

/** RFC 7541, 5.2: a string's length, then the string. */
function hpackString(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
