// Step 06 over the wire: who trusts whom, and what each side says when it does not.

import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, mock } from "node:test";
import { connect as connectTls, type SecureVersion } from "node:tls";
import { promisify } from "node:util";
import { Metadata, Server, status } from "@grpc/grpc-js";
import { UsageError } from "../shared/terminal/program.ts";
import {
  type ClientRun,
  eventually,
  listenHere,
  type RunningServer,
  runClient,
  startServer,
} from "../shared/testing/servers.ts";
import { type ChannelSettings, channelSecurity } from "./client/channel-credentials.ts";
import { unaryCall } from "./client/unary-call.ts";
import { CatalogServiceClient, type GetProductResponse } from "./gen/bakery/v1/catalog.ts";
import { makeCa, makeClientCertificate, type Pair } from "./security/certificates.ts";
import { namesProblem, tlsCredentials } from "./server/tls.ts";

const folder = import.meta.dirname;
const run = promisify(execFile);

/** Everything that these tests write. */
let scratch: string;
let server: RunningServer;
let mutual: RunningServer;

before(async () => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "course-certs-")));
  // Two servers find no certificates yet, and come to the same folder at the same moment.
  [server, mutual] = await Promise.all([start(), start({ MTLS: "1" })]);
});

after(async () => {
  await Promise.all([server?.program.stop(), mutual?.program.stop()]);
  rmSync(scratch, { recursive: true, force: true });
});

function certs(name = "certs"): string {
  return join(scratch, name);
}

function pem(name: string, of = "certs"): string {
  return join(certs(of), `${name}.pem`);
}

function read(name: string, of = "certs"): string {
  assert.ok(existsSync(pem(name, of)), `the server has made no ${name}.pem`);
  return readFileSync(pem(name, of), "utf8");
}

function list(of = "certs"): string[] {
  return existsSync(certs(of)) ? readdirSync(certs(of)).sort() : [];
}

function start(env: NodeJS.ProcessEnv = {}): Promise<RunningServer> {
  return startServer(folder, {
    CERTS: certs(),
    KEYS: join(scratch, "keys"),
    TILL_MS: "0",
    KITCHEN_MS: "20",
    ...env,
  });
}

function get(address: string, ...options: string[]): Promise<ClientRun> {
  const env = { BAKERY_ADDRESS: address, BAKERY_CA: pem("ca") };
  return runClient(folder, ["get", "rye", ...options], env);
}

async function assertGets(address: string, ...options: string[]): Promise<void> {
  const { stdout, stderr, exitCode } = await get(address, ...options);
  assert.deepEqual([stderr, exitCode], ["", 0]);
  assert.match(stdout, /^ID: rye$/m);
}

/** The call fails in one line, which matches `words`; the hint stands in brackets at its end. */
async function assertRefused(address: string, words: RegExp, ...options: string[]): Promise<void> {
  const { stdout, stderr, exitCode } = await get(address, ...options);
  assert.match(
    stderr,
    /^UNAVAILABLE: No connection established\. Last error: [^\n]+ \([^\n]+\)\n$/,
  );
  assert.match(stderr, words);
  assert.deepEqual([stdout, exitCode], ["", 78]);
}

/** The settings of a client that trusts the CA of a folder. */
function trusting(of: string): ChannelSettings {
  writeFileSync(join(scratch, `${of}-ca.pem`), read("ca"));
  return { ca: join(scratch, `${of}-ca.pem`), cert: "", key: "", plaintext: false, token: "" };
}

async function printToken(...args: string[]): Promise<string> {
  const program = ["--import", "tsx/esm", join(folder, "token.ts"), ...args];
  const env = { ...process.env, KEYS: join(scratch, "keys") };
  const { stdout } = await run(process.execPath, program, { env });
  return stdout.trimEnd();
}

/** Writes a pair as the server does. Gives the options that show it. */
function showing(name: string, { certificate, key }: Pair): string[] {
  const [certFile, keyFile] = [join(scratch, `${name}.pem`), join(scratch, `${name}-key.pem`)];
  writeFileSync(certFile, certificate);
  writeFileSync(keyFile, key);
  return ["--cert", certFile, "--key", keyFile];
}

describe("the server", () => {
  it("answers whoever dials one of its names and trusts its CA", async () => {
    await assertGets(server.address);
    await assertGets(server.address.replace("127.0.0.1", "localhost"));
    const { subjectAltName } = new X509Certificate(read("server"));
    assert.equal(subjectAltName, "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
  });

  for (const [version, spoken] of [
    ["TLSv1.3", true],
    ["TLSv1.2", true],
    ["TLSv1.1", false],
    ["TLSv1", false],
  ] as const) {
    it(`${spoken ? "speaks" : "does not speak"} ${version}`, async () => {
      assert.equal(await handshake(server.address, version), spoken ? `${version} h2` : "refused");
    });
  }

  it("carries all four kinds of call", async () => {
    const token = await printToken("--user", "ada", "--role", "baker");
    const env = { BAKERY_ADDRESS: server.address, BAKERY_CA: pem("ca"), BAKERY_TOKEN: token };
    for (const [args, printed] of [
      [["watch", "rye", "--count", "1"], /rye/],
      [["restock", "rye=1"], /^restocked 1 unit of 1 product$/m],
      [["order", "rye=1"], /^ID: order-1$/m],
      [["track", "order-1", "--ping", "1,1"], /DELIVERED/],
    ] as const) {
      const { stdout, stderr, exitCode } = await runClient(folder, args, env);
      assert.deepEqual([stderr, exitCode], ["", 0]);
      assert.match(stdout, printed);
    }
  });
});

/** The TLS version and the protocol agreed on over it, or "refused". */
function handshake(address: string, version: SecureVersion): Promise<string> {
  const [host, port] = address.split(":");
  return new Promise((resolve) => {
    const socket = connectTls({
      host: host ?? "",
      port: Number(port),
      ca: read("ca"),
      minVersion: version,
      maxVersion: version,
      ciphers: "DEFAULT@SECLEVEL=0", // Without it our own OpenSSL would not offer the old ones.
      ALPNProtocols: ["h2"],
    });
    socket.on("secureConnect", () => {
      resolve(`${socket.getProtocol()} ${socket.alpnProtocol}`);
      socket.destroy();
    });
    socket.on("error", () => resolve("refused"));
  });
}

describe("a connection is refused, in words", () => {
  it("by a client that trusts another CA", async () => {
    const other = join(scratch, "other-ca.pem");
    writeFileSync(other, (await makeCa(1)).certificate);
    await assertRefused(
      server.address,
      /unable to verify the first certificate.*is --ca the CA/,
      "--ca",
      other,
    );
  });

  it("by a client that dials a name which is not in the certificate", async () => {
    await using other = await start({ CERTS: certs("named"), CERT_NAMES: "bakery.example" });
    await assertRefused(other.address, /altnames.*CERT_NAMES/, "--ca", pem("ca", "named"));
  });

  it("by a client that dials an address, whatever name it sends in its place", async () => {
    const [sent] = Object.values(channelSecurity(trusting("sent"), "127.0.0.1:1").channelOptions);
    await using other = await start({ CERTS: certs("sent"), CERT_NAMES: String(sent) });
    await assertRefused(other.address, /altnames.*CERT_NAMES/, "--ca", pem("ca", "sent"));
  });

  it("by a client that dials a name which has been taken out of CERT_NAMES", async () => {
    const env = { CERTS: certs("fewer") };
    await using before = await start({ ...env, CERT_NAMES: "localhost,127.0.0.1" });
    await assertGets(before.address, "--ca", pem("ca", "fewer"));
    await using after = await start({ ...env, CERT_NAMES: "localhost" });
    await assertRefused(after.address, /altnames/, "--ca", pem("ca", "fewer"));
  });

  it("by a client that is shown an expired certificate", async () => {
    await using good = await start({ CERTS: certs("expired") });
    await assertGets(good.address, "--ca", pem("ca", "expired"));
    await using other = await start({ CERTS: certs("expired"), CERT_DAYS: "0" });
    const expired = new X509Certificate(read("server", "expired"));
    await eventually(() => Date.parse(expired.validTo) < Date.now());
    await assertRefused(
      other.address,
      /certificate has expired.*start the server again/,
      "--ca",
      pem("ca", "expired"),
    );
  });

  it("when the client speaks plaintext and the server TLS", async () => {
    await assertRefused(server.address, /Failed to connect.*the server TLS/, "--plaintext");
  });

  it("when the client speaks TLS and the server plaintext", async () => {
    const plaintext = new Server();
    try {
      const address = await listenHere(plaintext);
      await assertRefused(address, /wrong version number.*--plaintext/);
    } finally {
      plaintext.forceShutdown();
    }
  });
});

describe("with MTLS=1 a connection", () => {
  const own = () => ["--cert", pem("client"), "--key", pem("client-key")];

  it("is refused without a certificate", async () => {
    await assertRefused(mutual.address, /certificate required.*--cert and --key/);
  });

  it("is refused with a certificate of another CA", async () => {
    const options = showing("stranger", await makeClientCertificate(await makeCa(1), "van", 1));
    await assertRefused(mutual.address, /refuses? your certificate/, ...options);
  });

  it("is refused with an expired certificate of our CA", async () => {
    const ca = { certificate: read("ca"), key: read("ca-key") };
    const pair = await makeClientCertificate(ca, "late", 0);
    const options = showing("late", pair);
    const end = Date.parse(new X509Certificate(pair.certificate).validTo);
    await eventually(() => end < Date.now());
    await assertRefused(mutual.address, /refuses? your certificate/, ...options);
  });

  it("is accepted with a certificate of our CA, and its name is in the log", async () => {
    await assertGets(mutual.address, ...own());
    const line = () =>
      mutual.program.lines().find((text) => text.includes(" CatalogService/GetProduct "));
    await eventually(() => line() !== undefined);
    assert.match(
      line() ?? "",
      / CatalogService\/GetProduct OK \d+ms in=1 out=1 user=- cert=van id=/,
    );
    // The refused ones have called nothing.
    assert.equal(
      mutual.program.lines().filter((text) => /^\S+Z \S+ [A-Z_]+ \d/.test(text)).length,
      1,
    );
  });

  it("needs a name in the certificate, not in the call", async () => {
    read("ca");
    const own = { ca: pem("ca"), cert: pem("client"), key: pem("client-key") };
    const settings = { ...own, plaintext: false, token: "" };
    const { credentials, channelOptions } = channelSecurity(settings, mutual.address);
    const client = new CatalogServiceClient(mutual.address, credentials, channelOptions);
    try {
      const metadata = new Metadata();
      metadata.set("cert", "ada");
      metadata.set("x-request-id", "forged");
      await unaryCall<GetProductResponse>((done) =>
        client.getProduct({ id: "rye" }, metadata, { deadline: Date.now() + 10_000 }, done),
      );
    } finally {
      client.close();
    }
    const line = () => mutual.program.lines().find((text) => text.endsWith(" id=forged"));
    await eventually(() => line() !== undefined);
    assert.match(line() ?? "", / cert=van /);
  });
});

describe("the token", () => {
  it("goes with the calls of a channel with TLS", async () => {
    const token = await printToken("--user", "bob");
    const env = { BAKERY_ADDRESS: server.address, BAKERY_CA: pem("ca"), BAKERY_TOKEN: token };
    const ordered = await runClient(folder, ["order", "croissant=1"], env);
    assert.deepEqual([ordered.stderr, ordered.exitCode], ["", 0]);
    await eventually(() =>
      / OrderService\/CreateOrder OK .* user=bob cert=- id=/m.test(server.program.output()),
    );
    const refused = await runClient(folder, ["restock", "rye=1"], env);
    assert.equal(refused.exitCode, 64 + status.PERMISSION_DENIED);
  });

  it("is never sent over plaintext", async () => {
    let connections = 0;
    const listener = createServer((socket) => {
      connections++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const address = listener.address();
    const port = typeof address === "object" ? address?.port : undefined;
    try {
      const refused = await get(`127.0.0.1:${port}`, "--plaintext", "--token", "abc");
      assert.match(
        refused.stderr,
        /^a token is never sent over plaintext[^\n]*--plaintext[^\n]*\n$/,
      );
      assert.deepEqual([refused.stdout, refused.exitCode], ["", 2]);
      assert.equal(connections, 0);
    } finally {
      listener.close();
    }
  });
});

describe("the client says before it dials", () => {
  /** What it says of settings that cannot be meant. */
  const problem = (settings: Partial<ChannelSettings>): string => {
    const good = { ca: pem("ca"), cert: "", key: "", plaintext: false, token: "" };
    try {
      channelSecurity({ ...good, ...settings }, "127.0.0.1:50051");
      return "";
    } catch (error) {
      assert.ok(error instanceof UsageError, String(error));
      return error.message;
    }
  };
  const [cert, key] = [() => pem("client"), () => pem("client-key")];

  it("what is wrong with a file", () => {
    const empty = join(scratch, "empty.pem");
    writeFileSync(empty, "");
    assert.match(problem({ ca: "nowhere.pem" }), /^--ca: cannot read nowhere\.pem: /);
    assert.match(problem({ ca: empty }), /is not a PEM file with a CERTIFICATE$/);
    assert.match(problem({ ca: key() }), /is not a PEM file with a CERTIFICATE$/);
    assert.match(problem({ cert: cert(), key: cert() }), /is not a PEM file with a PRIVATE KEY$/);
    assert.match(problem({ cert: cert(), key: pem("server-key") }), /^--cert, --key: .*mismatch/);
  });

  it("what does not go together", () => {
    assert.match(problem({ cert: cert() }), /^--cert and --key go together$/);
    assert.match(problem({ key: key() }), /^--cert and --key go together$/);
    assert.match(problem({ plaintext: true, cert: cert() }), /^--cert and --key need TLS/);
    assert.equal(problem({ cert: cert(), key: key(), token: "abc" }), "");
  });

  it("in one line, with exit code 2", async () => {
    const { stdout, stderr, exitCode } = await get(server.address, "--ca", "nowhere.pem");
    assert.match(stderr, /^--ca: cannot read nowhere\.pem: [^\n]+\n$/);
    assert.deepEqual([stdout, exitCode], ["", 2]);
  });
});

describe("certificates", () => {
  const names = ["ca", "client", "server"].flatMap((name) => [`${name}-key.pem`, `${name}.pem`]);
  /** What a server prints before it listens, and every file that is there then. */
  const startIn = async (name: string, env: NodeJS.ProcessEnv = {}) => {
    await using other = await start({ CERTS: certs(name), ...env });
    const said = other.program.lines().slice(0, -1);
    return { said, files: list(name).map((file) => readFile(certs(name), file)) };
  };
  const readFile = (...path: string[]) => readFileSync(join(...path), "utf8");
  const today = () => new Date().toISOString().slice(0, 10);

  it("are made once, whole, and their keys are for their owner alone", async () => {
    assert.deepEqual(list(), names.sort());
    assert.deepEqual(
      readdirSync(scratch).filter((name) => name.startsWith("certs-")),
      [],
    );
    if (process.platform === "win32") return;
    for (const name of names.filter((name) => name.includes("key"))) {
      assert.equal(statSync(join(certs(), name)).mode & 0o777, 0o600, name);
    }
  });

  it("stay as they are while they are good; what was made is said", async () => {
    const first = await startIn("kept");
    assert.equal(first.said.length, 4);
    assert.match(first.said[0] ?? "", /^made a CA, valid until \d{4}-\d\d-\d\d$/);
    assert.match(
      first.said[1] ?? "",
      /^made a server certificate for localhost, 127\.0\.0\.1, ::1, valid until /,
    );
    assert.match(first.said[2] ?? "", /^made a client certificate for van, valid until /);
    const second = await startIn("kept");
    assert.deepEqual(second, { said: [], files: first.files });
  });

  it("are renewed when they have expired, by the same CA", async () => {
    const first = await startIn("late", { CERT_DAYS: "0" });
    assert.match(first.said[1] ?? "", new RegExp(`valid until ${today()}$`));
    const oldCa = read("ca", "late");
    writeFileSync(join(certs("late"), "notes.txt"), "ours");
    const end = Date.parse(new X509Certificate(read("server", "late")).validTo);
    await eventually(() => end < Date.now());
    const second = await startIn("late");
    assert.deepEqual(
      second.said.map((line) => line.replace(/,.*/, "")),
      [
        "made a server certificate for localhost",
        "made a client certificate for van",
        second.said.at(-1),
      ],
    );
    assert.equal(read("ca", "late"), oldCa);
    assert.equal(readFile(certs("late"), "notes.txt"), "ours");
    await using other = await start({ CERTS: certs("late") });
    await assertGets(other.address, "--ca", pem("ca", "late"));
  });

  /** What a server says when it starts with this folder, without the server. */
  const renew = async (name: string, dialled = ["localhost", "127.0.0.1"]): Promise<string[]> => {
    const log = mock.method(console, "log", () => {});
    try {
      await tlsCredentials({ folder: certs(name), names: dialled, days: 30, mutual: false });
      return log.mock.calls.flatMap((call) => String(call.arguments[0]));
    } finally {
      log.mock.restore();
    }
  };

  /** Writes one PEM file of a folder anew. */
  const put = (text: string, file: string, of: string) => writeFileSync(pem(file, of), text);
  for (const [title, damage] of [
    ["is cut off", (of: string) => put("-----BEGIN CERTIFICATE-----\nMII", "server", of)],
    ["is gone", (of: string) => rmSync(pem("server", of))],
    ["has another's key", (of: string) => put(read("client-key", of), "server-key", of)],
    [
      "is of another CA",
      (of: string) => {
        for (const file of ["server", "server-key"]) put(read(file), file, of);
      },
    ],
  ] as const) {
    it(`are made again when one ${title}`, async () => {
      const name = title.replaceAll(/\W/g, "-");
      await renew(name);
      const oldCa = read("ca", name);
      damage(name);
      const said = await renew(name);
      assert.equal(said.length, 2);
      assert.match(said[0] ?? "", /^made a server certificate/);
      assert.equal(read("ca", name), oldCa);
      const made = new X509Certificate(read("server", name));
      assert.ok(made.verify(new X509Certificate(oldCa).publicKey));
      assert.ok(made.checkPrivateKey(createPrivateKey(read("server-key", name))));
      assert.deepEqual(await renew(name), []);
    });
  }

  it("are of one CA when several servers find an unusable one at once", async () => {
    await renew("broken");
    put("-----BEGIN CERTIFICATE-----\nMII", "ca", "broken");
    const servers = await Promise.all([1, 2, 3, 4].map(() => start({ CERTS: certs("broken") })));
    try {
      const made = servers.filter(({ program }) => program.output().includes("made a CA"));
      assert.equal(made.length, 1);
      for (const { address } of servers) await assertGets(address, "--ca", pem("ca", "broken"));
      assert.ok(!list("broken").includes(".lock"));
    } finally {
      await Promise.all(servers.map(({ program }) => program.stop()));
    }
  });

  it("are made again for other names", async () => {
    await renew("renamed");
    const oldCa = read("ca", "renamed");
    const said = await renew("renamed", ["bakery.example", "10.0.0.1"]);
    assert.match(
      said[0] ?? "",
      /^made a server certificate for bakery\.example, 10\.0\.0\.1, valid/,
    );
    assert.equal(read("ca", "renamed"), oldCa);
    const { subjectAltName } = new X509Certificate(read("server", "renamed"));
    assert.equal(subjectAltName, "DNS:bakery.example, IP Address:10.0.0.1");
  });

  it("are only used, never made, where the CA's key is not", async () => {
    await renew("foreign");
    const [oldCa, oldServer] = [read("ca", "foreign"), read("server", "foreign")];
    for (const name of ["ca-key.pem", "client.pem"]) rmSync(join(certs("foreign"), name));
    assert.deepEqual(await renew("foreign", ["bakery.example"]), []);
    assert.deepEqual(list("foreign"), ["ca.pem", "client-key.pem", "server-key.pem", "server.pem"]);
    assert.equal(read("server", "foreign"), oldServer);
    rmSync(pem("server", "foreign"));
    await assert.rejects(renew("foreign"), /server\.pem is missing, .*Renew it, or remove/);
    assert.equal(read("ca", "foreign"), oldCa);
  });

  it("are not made for what is no name", async () => {
    assert.equal(namesProblem("localhost,127.0.0.1,::1,*.bakery.example"), undefined);
    for (const text of ["", ",", "a b", "a,,b", "http://x/"]) assert.ok(namesProblem(text), text);
    const started = start({ CERTS: certs("unnamed"), CERT_NAMES: "," });
    const stopped = started.then((running) => running.program.stop());
    await assert.rejects(stopped, /CERT_NAMES must be names and addresses/);
    assert.deepEqual(list("unnamed"), []);
  });

  it("of openssl, made as the README says, serve as well", async (test) => {
    const { stdout } = spawnSync("openssl", ["version"], { encoding: "utf8" });
    if (!/^OpenSSL [3-9]/.test(stdout ?? "")) return test.skip("there is no OpenSSL 3");
    const readme = readFile(folder, "README.md");
    const [, script = ""] = /^```sh\n(mkdir [\s\S]+?)^```$/m.exec(readme) ?? [];
    assert.match(script, /openssl req/);
    const { status, stderr } = spawnSync("sh", ["-ec", script], { cwd: scratch, encoding: "utf8" });
    assert.equal(status, 0, stderr);
    const made = read("server", "certs-by-hand");
    await using other = await start({ CERTS: certs("certs-by-hand") });
    assert.equal(other.program.lines().length, 1);
    assert.equal(read("server", "certs-by-hand"), made);
    await assertGets(other.address, "--ca", pem("ca", "certs-by-hand"));
  });
});
