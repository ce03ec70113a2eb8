// The attacks of abuse.ts, each bounded, and each with what a server that survives it makes of it.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { constants } from "node:http2";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { gzipSync } from "node:zlib";
import { startProgram } from "../../testing/servers.ts";
import { courseRoot } from "../steps.ts";
import { ask, begin, dial, field, framed, outcome, type Target, tally } from "./hostile.ts";

/** The step that is attacked. */
export const attackedStep: string = join(courseRoot, "step-07-health");

export interface Attack {
  readonly name: string;
  /** How often the attack is tried. */
  readonly count: number;
  /** Returns in words what the server made of it. @throws if it didn't withstand. */
  run(target: Target, count: number): Promise<string>;
}

const { NGHTTP2_CANCEL: CANCEL } = constants;
const GZIP = { "grpc-encoding": "gzip" };
const CATALOG = "/bakery.v1.CatalogService";
const CREATE_ORDER = "/bakery.v1.OrderService/CreateOrder";
const REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const methods = [
  ...["GetProduct", "SearchProducts", "WatchProducts", "RestockProducts"].map(
    (name) => `${CATALOG}/${name}`,
  ),
  ...[CREATE_ORDER, "/bakery.v1.OrderService/TrackOrder"],
  ...["Check", "List", "Watch"].map((name) => `/grpc.health.v1.Health/${name}`),
  ...[REFLECTION, REFLECTION.replace("v1", "v1alpha")],
];

export const attacks: readonly Attack[] = [
  attack("tokens", 100, async (target, count) => {
    const [head = "", body = "", signature = ""] = target.token.split(".");
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    const tricks = [
      `Bearer ${none}.${body}.`,
      `Bearer ${none}.${body}.${signature}`,
      `Bearer ${head}.${Buffer.from('{"sub":"eve","role":"baker"}').toString("base64url")}.${signature}`,
      `Bearer ${head}.${body}.${"A".repeat(signature.length)}`,
      `Bearer\t${target.token}`,
      `Bearer ${target.token} ${target.token}`,
      `Basic ${target.token}`,
      `Bearer ${"a".repeat(8000)}`,
      "Bearer ",
      "",
    ];
    return await each(target, count, "UNAUTHENTICATED", (session, at) => {
      const authorization = tricks[at % tricks.length] ?? "";
      return ask(session, CREATE_ORDER, Buffer.alloc(0), { authorization });
    });
  }),
  attack("paths", 100, async (target, count) => {
    const tricks = [
      CREATE_ORDER.toUpperCase(),
      `/${CREATE_ORDER}`,
      `${CREATE_ORDER}/`,
      `${CREATE_ORDER}?x=1`,
      `${CATALOG}/GetProduct/../..${CREATE_ORDER}`,
      CREATE_ORDER.replace("Create", "%43reate"),
      "/__proto__/constructor",
      `/${"x".repeat(8000)}`,
    ];
    return await each(target, count, "UNIMPLEMENTED", (session, at) =>
      ask(session, tricks[at % tricks.length] ?? "", Buffer.alloc(0)),
    );
  }),
  attack("junk", 440, (target, count) =>
    each(target, count, undefined, (session, at) =>
      ask(session, methods[at % methods.length] ?? "", randomBytes(1 + (at % 300)), {
        authorization: `Bearer ${target.token}`,
        "grpc-timeout": "1S", // Some of it is a valid Watch.
      }),
    ),
  ),
  attack("gzip-bombs", 400, async (target, count) => {
    const bomb = gzipSync(field(1, Buffer.alloc(4 * 1024 * 1024 - 16, "x")));
    return each(target, count, "UNIMPLEMENTED", (session) =>
      ask(session, `${CATALOG}/SearchProducts`, bomb, GZIP),
    );
  }),
  attack("long-queries", 100, (target, count) => {
    const query = field(1, Buffer.alloc(4 * 1024 * 1024 - 16, "x"));
    return each(target, count, "RESOURCE_EXHAUSTED", (session) =>
      ask(session, `${CATALOG}/SearchProducts`, query),
    );
  }),
  attack("watched-names", 900, async (target, count) => {
    using session = dial(target);
    let answered = 0;
    for (let at = 0; at < count; at += 50) {
      const calls = Array.from({ length: 50 }, (_, of) => {
        const call = begin(session, "/grpc.health.v1.Health/Watch");
        call.end(framed(field(1, Buffer.from(`${at + of}`.padEnd(60_000, "x")))));
        return call;
      });
      await Promise.all(calls.map((call) => once(call, "data").then(() => answered++)));
      for (const call of calls) call.close(CANCEL);
    }
    return `${answered} SERVICE_UNKNOWN`;
  }),
  attack("window-0", 1100, async (target, count) => {
    using session = dial(target, { settings: { initialWindowSize: 0 } });
    const call = begin(session, REFLECTION);
    const request = framed(field(4, Buffer.alloc(50_000, "x")));
    let taken = 0;
    for (let at = 0; at < count; at++) call.write(request, () => taken++);
    await wait(1500);
    assert.ok(taken < 10, `${taken} requests taken`);
    return `${taken} taken, the rest waits at the client`;
  }),
  attack("packed-frames", 100, async (target, count) => {
    using session = dial(target, { settings: { initialWindowSize: 0 } });
    const request = framed(gzipSync(field(4, Buffer.alloc(65_000, "x"))), true);
    const frame = Buffer.concat(Array(150).fill(request)); // grpc-js unpacks all of it at once.
    const calls = Array.from({ length: count }, () => begin(session, REFLECTION, GZIP));
    const outcomes = calls.map(outcome);
    for (const call of calls) call.write(frame);
    await wait(2000);
    for (const call of calls) call.close(CANCEL);
    return tally(await Promise.all(outcomes));
  }),
  attack("resets", 3000, async (target, count) => {
    using session = dial(target);
    await once(session, "connect");
    for (let at = 0; at < count && !session.destroyed; at++) {
      begin(session, `${CATALOG}/WatchProducts`).close(CANCEL);
      if (at % 100 === 99) await wait(5); // More at once would wait, and never be sent.
    }
    await wait(300);
    // On a slow machine too few resets arrive at once.
    return session.destroyed ? "the connection is closed" : "put up with";
  }),
  attack("held-streams", 1000, async (target, count) => {
    using session = dial(target);
    let begun = 0;
    for (let at = 0; at < count; at++) {
      const call = begin(session, `${CATALOG}/WatchProducts`);
      call.once("data", () => begun++);
      call.end(framed(Buffer.alloc(0)));
    }
    await wait(1500);
    assert.ok(begun <= 250, `${begun} streams`);
    return `${begun} held, the rest waits`;
  }),
  attack("byte-by-byte", 20, (target, count) =>
    each(target, count, "OK", async (session) => {
      const upload = begin(session, `${CATALOG}/RestockProducts`, {
        authorization: `Bearer ${target.token}`,
      });
      const ended = outcome(upload);
      const one = Buffer.from([0x10, 0x01]);
      const crate = field(1, Buffer.concat([field(1, Buffer.from("rye")), one]));
      const note = field(2, Buffer.from([0x08, 0x01]));
      for (const byte of Buffer.concat([framed(crate), framed(note)])) {
        upload.write(Buffer.from([byte]));
        await wait(2);
      }
      upload.end();
      return await ended;
    }),
  ),
  attack("silent", 200, async ({ server, ca }, count) => {
    const [host = "", port] = server.address.split(":");
    const sockets = Array.from({ length: count }, (_, at) =>
      at % 2 === 0
        ? connectTcp(Number(port), host)
        : connectTls({ port: Number(port), host, ca, ALPNProtocols: ["h2"] }),
    );
    let closed = 0;
    for (const socket of sockets) socket.on("error", () => {}).on("close", () => closed++);
    for (const socket of sockets) socket.resume();
    await wait(4000);
    const soFar = closed;
    for (const socket of sockets) socket.destroy();
    assert.ok(soFar >= count / 2, `${soFar} closed`);
    return `${soFar} closed by keepalive, ${count - soFar} before TLS stay`;
  }),
  attack("frozen-client", 1, async ({ server, caFile }) => {
    const args = ["watch", "--address", server.address];
    const client = startProgram(attackedStep, "client.ts", args, { BAKERY_CA: caFile });
    const before = server.program.output().length;
    try {
      assert.ok(await client.until(() => client.lines().length >= 10, 10_000), client.output());
      client.kill("SIGSTOP");
      const letGo = () => server.program.output().slice(before).includes("WatchProducts CANCELLED");
      assert.ok(await server.program.until(letGo, 10_000), "its stream is still there");
      return "let go";
    } finally {
      await client.stop(0);
    }
  }),
  attack("vanished", 2000, async (target, count) => {
    for (let at = 0; at < count; at += 100) {
      const sessions = Array.from({ length: 100 }, () => dial(target));
      const calls = sessions.map((session) => begin(session, `${CATALOG}/WatchProducts`));
      for (const call of calls) call.end(framed(Buffer.alloc(0)));
      await Promise.all(calls.map((call) => once(call, "data")));
      for (const session of sessions) session.destroy();
    }
    return "let go";
  }),
];

function attack(name: string, count: number, run: Attack["run"]): Attack {
  return { name, count, run };
}

/** Makes `count` calls on one connection, some at a time. @throws if one ends otherwise. */
async function each(
  target: Target,
  count: number,
  expected: string | undefined,
  call: (session: ReturnType<typeof dial>, at: number) => Promise<string>,
): Promise<string> {
  using session = dial(target);
  const outcomes: string[] = [];
  for (let at = 0; at < count; at += 20) {
    const some = Array.from({ length: Math.min(20, count - at) }, (_, of) =>
      call(session, at + of),
    );
    outcomes.push(...(await Promise.all(some)));
  }
  const said = tally(outcomes);
  assert.ok(!outcomes.includes("no answer"), said);
  assert.ok(expected === undefined || said === `${count} ${expected}`, said);
  return said;
}
