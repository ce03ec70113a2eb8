// Starts the servers of a run: the steps, unchanged, and their peers.

import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { tokenOf } from "../course/check/compatibility.ts";
import { courseRoot, listSteps } from "../course/steps.ts";
import { bareEnvironment } from "../testing/environment.ts";
import { Program } from "../testing/programs.ts";
import { serversOf } from "../testing/step-servers.ts";
import type { Target } from "./client.ts";
import { peers } from "./figures.ts";

const START_MS = 30_000;
const gauge = pathToFileURL(join(import.meta.dirname, "gauge.ts")).href;

/** A server that can be started. */
export interface Subject extends Target {
  readonly name: string;
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  /** Whether it has RestockProducts. */
  readonly uploads: boolean;
}

/** Returns all steps in order, then their peers. Writes keys and certificates below `folder`. */
export async function listSubjects(folder: string): Promise<Subject[]> {
  const steps = await Promise.all(
    listSteps().map(({ name }) => equipStep(name, join(folder, name))),
  );
  const { env, token, caFile } = steps.find(({ name }) => name.startsWith("step-07-")) ?? {};
  const featured = { env: env ?? {}, token, caFile };
  return [
    ...steps,
    peer(peers.bare, "bare.ts"),
    peer(peers.nice, "nice-grpc.ts"),
    peer(peers.niceFeatured, "nice-grpc.ts", featured),
    peer(peers.connect, "connect-node.ts"),
    peer(peers.connectFeatured, "connect-node.ts", featured),
    peer(peers.rest, "fastify.ts", { rest: true, uploads: false }),
  ];
}

/**
 * Returns a step's server. If the step has tokens, first makes its keys and certificates in `folder`, so
 * that no measurement includes that work.
 * @throws {Error} if its token program fails, or the server does not start.
 */
export async function equipStep(name: string, folder: string): Promise<Subject> {
  const step = join(courseRoot, name);
  // If there are several servers, the first is the catalog's, which has all the calls that are measured.
  const [server] = serversOf(step);
  const contract = readFileSync(join(step, "proto", "bakery", "v1", "catalog.proto"), "utf8");
  const [KEYS, CERTS] = [join(folder, "keys"), join(folder, "certs")];
  const env = { TILL_MS: "0", KITCHEN_MS: "0", KEYS, CERTS };
  const uploads = contract.includes("rpc RestockProducts(");
  const plain = { name, file: join(step, server?.file ?? ""), env, uploads, rest: false };
  const token = await tokenOf("baker", step, env);
  if (token === undefined) return plain;
  await (await startServer(plain)).stop();
  const caFile = join(CERTS, "ca.pem");
  return { ...plain, token, caFile: existsSync(caFile) ? caFile : undefined };
}

/** Returns a server that is not a step, from its file in servers/. */
export function peer(name: string, file: string, more: Partial<Subject> = {}): Subject {
  const path = join(import.meta.dirname, "servers", file);
  return { name, file: path, env: {}, uploads: true, rest: false, ...more };
}

/**
 * Starts a server with the gauge in its process.
 * @returns its HOST:PORT, the time until it listened, and functions that read the gauge and stop it.
 * @throws {Error} with the last line that it printed, if it does not start to listen.
 */
export async function startServer({ name, file, env }: Subject) {
  const startedAt = performance.now();
  const program = new Program({
    file: process.execPath,
    args: ["--import", "tsx", "--import", gauge, file],
    cwd: courseRoot,
    env: bareEnvironment({ NODE_ENV: "production", PORT: "0", METRICS_PORT: "0", ...env }),
  });
  const addressOf = (what: "listening" | "gauge") =>
    new RegExp(`^${what} on (\\S+)$`, "m").exec(program.output())?.[1];
  await program.until(() => Boolean(addressOf("listening") && addressOf("gauge")), START_MS);
  const startMs = performance.now() - startedAt;
  const [address, gaugeAddress] = [addressOf("listening"), addressOf("gauge")];
  if (address === undefined || gaugeAddress === undefined) {
    const last = program.lines().at(-1) ?? "it printed nothing";
    await program.stop();
    throw new Error(`${name} did not start: ${last}`);
  }
  const gaugePort = Number(gaugeAddress.split(":")[1]);
  /** Returns what the process has used so far. */
  const read = async (): Promise<{ cpuUs: number; rssBytes: number }> =>
    JSON.parse(await text(connect(gaugePort, "127.0.0.1")));
  return { address, startMs, read, stop: () => program.stop() };
}
