// The attacks of abuse.ts. Each is bounded, and fails if the server doesn't withstand it.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { gzipSync } from "node:zlib";
import { eventually, startProgram } from "../../testing/servers.ts";
import { courseRoot } from "../steps.ts";
import {
  begin,
  dial,
  field,
  framed,
  opened,
  outcome,
  rounds,
  type Session,
  type Target,
} from "./hostile.ts";

/** The step that is attacked. */
export const attackedStep: string = join(courseRoot, "step-07-health");

export interface Attack {
  readonly name: string;
  /** How often it is tried. */
  readonly count: number;
  /** Returns what the server made of it. @throws if the server didn't withstand it. */
  run(target: Target, count: number): Promise<string>;
}

const CATALOG = "/bakery.v1.CatalogService";
const WATCH = `${CATALOG}/WatchProducts`;
const ORDER = "/bakery.v1.OrderService/CreateOrder";
const REFLECT = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const HEALTH = "/grpc.health.v1.Health";
const METHODS = [
  ...[`${CATALOG}/GetProduct`, `${CATALOG}/SearchProducts`, WATCH, `${CATALOG}/RestockProducts`],
  ...[ORDER, ORDER.replace("Create", "Track"), REFLECT, REFLECT.replace("v1", "v1alpha")],
  ...[`${HEALTH}/Check`, `${HEALTH}/List`, `${HEALTH}/Watch`],
];

const NOTHING = Buffer.alloc(0);
const text = (bytes: number) => field(1, Buffer.alloc(bytes, "x"));
const bomb = (bytes: number) => framed(gzipSync(text(bytes)), true);
// 4 KB that unpack to 4 MB, and 16 KB that unpack to 145 messages of 64 KB.
const BOMBS = [bomb(4_000_000), Buffer.concat(Array(145).fill(bomb(65_000)))];
const HALF_MESSAGE = framed(text(4_000_000)).subarray(0, -1);
const CRATE = field(1, Buffer.concat([field(1, Buffer.from("rye")), Buffer.from([0x10, 1])]));
const DELIVERY = Buffer.concat([framed(CRATE), framed(field(2, Buffer.from([0x08, 1])))]);
const watch = (session: Session) => begin(session, WATCH).end(framed(NOTHING));

export const attacks: readonly Attack[] = [
  calls("tokens", 100, "UNAUTHENTICATED", (session, at, token) => {
    const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${token.split(".")[1]}`;
    const forged = [`${unsigned}.`, `${token.slice(0, -9)}AAAAAAAAA`, `${token} ${token}`, ""];
    const tricks = [...forged.map((one) => `Bearer ${one}`), `Bearer\t${token}`, `Basic ${token}`];
    return outcome(begin(session, ORDER, { authorization: pick(tricks, at) }), NOTHING);
  }),
  calls("paths", 100, "UNIMPLEMENTED", (session, at) => {
    const tricks = [`/${ORDER}`, `${ORDER}?x`, ORDER.toUpperCase(), ORDER.replace("C", "%43")];
    const others = [`${CATALOG}/..${ORDER}`, "/__proto__/constructor", `/${"x".repeat(60_000)}`];
    return outcome(begin(session, pick([...tricks, ...others], at)), NOTHING);
  }),
  calls("junk", 440, "", (session, at, token) => {
    const headers = { authorization: `Bearer ${token}`, "grpc-timeout": "300m" };
    return outcome(begin(session, pick(METHODS, at), headers), framed(randomBytes(1 + (at % 300))));
  }),
  calls("gzip-bombs", 500, "UNIMPLEMENTED", (session, at) =>
    outcome(begin(session, pick(METHODS, at), { "grpc-encoding": "gzip" }), pick(BOMBS, at)),
  ),
  calls("half-messages", 100, "RESOURCE_EXHAUSTED", async (session) => {
    const call = begin(session, `${CATALOG}/SearchProducts`);
    const held = new Promise<string>((done) => call.write(HALF_MESSAGE, () => done("held")));
    const became = await Promise.race([outcome(call), held]);
    if (became !== "held") call.destroy();
    return became;
  }),
  calls("watched-names", 900, "SERVICE_UNKNOWN", async (session, at) => {
    const call = begin(session, `${HEALTH}/Watch`);
    call.end(framed(field(1, Buffer.from(`${at}`.padEnd(60_000, "x")))));
    const [answer] = await once(call, "data");
    call.destroy();
    return answer.at(-1) === 3 ? "SERVICE_UNKNOWN" : "something else";
  }),
  calls("byte-by-byte", 20, "OK", async (session, _at, token) => {
    const call = begin(session, `${CATALOG}/RestockProducts`, { authorization: `Bearer ${token}` });
    for (const byte of DELIVERY) {
      call.write(Buffer.from([byte]));
      await wait(1);
    }
    return outcome(call, NOTHING);
  }),
  attack("window-0", 1000, async ({ address, caFile }, count) => {
    const session = dial(address, caFile, { initialWindowSize: 0 }); // The server may answer nothing.
    const call = begin(session, REFLECT);
    const request = framed(field(4, Buffer.alloc(50_000, "x")));
    let taken = 0;
    const write = () => call.write(request, () => ++taken < count && write());
    write();
    await eventually(() => taken > 0);
    await rounds(session);
    assert.ok(taken < 10, `${taken} taken`);
    return `${taken} taken, the rest wait`;
  }),
  attack("held-streams", 1000, async ({ address, caFile }, count) => {
    const session = dial(address, caFile);
    let begun = 0;
    for (let at = 0; at < count; at++) watch(session).once("data", () => begun++);
    await eventually(() => begun >= Math.min(count, 250));
    await rounds(session);
    assert.ok(begun <= 250, `${begun} streams`);
    return `${begun} held, the rest wait`;
  }),
  attack("resets", 1, async ({ address, caFile }) => {
    const session = dial(address, caFile);
    await once(session, "connect");
    let resets = 0;
    while (!session.destroyed && resets < 5000) {
      begin(session, WATCH).close(8); // CANCEL
      if (++resets % 100 === 0) await rounds(session).catch(() => {}); // It may be over.
    }
    assert.ok(session.destroyed, "the connection is still open");
    return `closed after ${resets} resets`;
  }),
  attack("silent", 200, async ({ address, caFile }, count) => {
    const [host = "", port] = address.split(":");
    const tls = { host, port: Number(port), ca: readFileSync(caFile), ALPNProtocols: ["h2"] };
    const sockets = times(count, (at) => (at % 2 ? connectTls(tls) : connectTcp(tls)));
    opened.push(...sockets);
    for (const socket of sockets) socket.on("error", () => {}).resume();
    await eventually(() => sockets.every((socket, at) => at % 2 === 0 || socket.closed));
    const open = sockets.filter((socket) => !socket.closed).length;
    return `${count - open} closed by keepalive, ${open} before TLS stay`;
  }),
  attack("frozen", 1, async (target, count) => {
    const args = ["watch", "--address", target.address];
    const client = startProgram(attackedStep, "client.ts", args, { BAKERY_CA: target.caFile });
    opened.push({ destroy: () => client.stop(0) });
    await eventually(() => client.lines().length >= 10);
    return letGo(target, count, () => client.kill("SIGSTOP"));
  }),
  attack("vanished", 2000, (target, count) =>
    letGo(target, count, () =>
      inTurn(target, count, async () => {
        const session = dial(target.address, target.caFile);
        await once(watch(session), "data");
        session.destroy();
        return "vanished";
      }),
    ),
  ),
];

function attack(name: string, count: number, run: Attack["run"]): Attack {
  return { name, count, run };
}

type Play = (session: Session, at: number, token: string) => Promise<string>;

/** Returns an attack of calls that must all end with the same status, or with any if it is "". */
function calls(name: string, count: number, expected: string, play: Play): Attack {
  return attack(name, count, async (target, count) => {
    const said = await inTurn(target, count, play);
    assert.ok(said === `${count} ${expected}` || (!expected && !said.includes("cut off")), said);
    return said;
  });
}

/** Plays 50 at a time on one connection. Returns how many ended how. */
async function inTurn(target: Target, count: number, play: Play): Promise<string> {
  const tally = new Map<string, number>();
  for (let from = 0; from < count; from += 50) {
    const session = dial(target.address, target.caFile);
    const few = times(Math.min(50, count - from), (at) => play(session, from + at, target.token));
    for (const one of await Promise.all(few)) tally.set(one, (tally.get(one) ?? 0) + 1);
  }
  return [...tally].map(([outcome, count]) => `${count} ${outcome}`).join(", ");
}

/** Waits until the server has ended so many watches more than before `act`. */
async function letGo({ program }: Target, count: number, act: () => unknown): Promise<string> {
  const ended = () => program.output().split("WatchProducts CANCELLED").length;
  const before = ended();
  await act();
  await eventually(() => ended() >= before + count);
  return `${count} let go`;
}

function times<Item>(count: number, make: (at: number) => Item): Item[] {
  return Array.from({ length: count }, (_, at) => make(at));
}

function pick<Item>(items: readonly Item[], at: number): Item {
  return items[at % items.length] as Item;
}
