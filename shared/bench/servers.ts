// Starts the servers of a run: the steps as they stand, and what they are compared with.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { Program } from "../course/play/programs.ts";
import { courseRoot, listSteps } from "../course/steps.ts";
import type { Target } from "./client.ts";
import { BARE, CONNECT, NICE, REST, withFeatures } from "./figures.ts";

const START_MS = 30_000;
const gauge = pathToFileURL(join(import.meta.dirname, "gauge.ts")).href;

/** A server that can be started. */
export interface Subject {
  readonly name: string;
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  readonly rest: boolean;
  /** Whether it has RestockProducts. */
  readonly uploads: boolean;
  /** Sent with every call; undefined for a server that expects none. */
  readonly token: string | undefined;
}

/** A server that listens. */
export interface Running {
  readonly target: Target;
  /** From starting the process to the line that says listening. */
  readonly startMs: number;
  /** Returns what the process has used so far. */
  read(): Promise<{ cpuUs: number; rssBytes: number }>;
  stop(): Promise<void>;
}

/**
 * Returns a step's server. A step with tokens makes its keys and certificates in `folder` now, so that
 * no measurement includes that.
 * @throws {Error} if it prints no token, or does not start.
 */
export async function equipStep(name: string, folder: string): Promise<Subject> {
  const step = join(courseRoot, name);
  // Of several servers, as from step 10 on, the catalog's has all the calls that are measured.
  const files = readdirSync(step).filter((file) => /^(.+-)?server\.ts$/.test(file));
  const file =
    files.find((file) => /^(catalog-)?server\.ts$/.test(file)) ?? files[0] ?? "server.ts";
  const contract = readFileSync(join(step, "proto", "bakery", "v1", "catalog.proto"), "utf8");
  const [KEYS, CERTS] = [join(folder, "keys"), join(folder, "certs")];
  const subject: Subject = {
    name,
    file: join(step, file),
    env: { TILL_MS: "0", KITCHEN_MS: "0", KEYS, CERTS },
    rest: false,
    uploads: contract.includes("rpc RestockProducts("),
    token: undefined,
  };
  const tokenProgram = join(step, "token.ts");
  if (!existsSync(tokenProgram)) return subject;
  const printing = run([tokenProgram, "--user", "ada", "--role", "baker"], subject.env);
  await printing.ends(START_MS);
  const [token = ""] = printing.lines();
  await printing.stop();
  await (await startServer(subject)).stop();
  return { ...subject, token };
}

/**
 * Returns all steps in their order, then their peers. The featured peers take the keys and the
 * certificate of step 07.
 */
export async function listSubjects(folder: string): Promise<Subject[]> {
  const steps = await Promise.all(
    listSteps().map(({ name }) => equipStep(name, join(folder, name))),
  );
  const model = steps.find(({ name }) => name.startsWith("step-07-"));
  const featured = { env: model?.env ?? {}, token: model?.token };
  return [
    ...steps,
    peer(BARE, "bare.ts"),
    peer(NICE, "nice-grpc.ts"),
    peer(withFeatures(NICE), "nice-grpc.ts", featured),
    peer(CONNECT, "connect-node.ts"),
    peer(withFeatures(CONNECT), "connect-node.ts", featured),
    peer(REST, "fastify.ts", { rest: true, uploads: false }),
  ];
}

/** Returns a server that is no step, from its file in servers/. */
export function peer(name: string, file: string, more: Partial<Subject> = {}): Subject {
  const path = join(import.meta.dirname, "servers", file);
  return { name, file: path, env: {}, rest: false, uploads: true, token: undefined, ...more };
}

/**
 * Starts a server with the gauge in its process.
 * @throws {Error} with the last line that it printed, if it does not come to listen.
 */
export async function startServer({ name, file, env, rest, token }: Subject): Promise<Running> {
  const startedAt = performance.now();
  const program = run(["--import", gauge, file], env);
  const portOf = (what: "listening" | "gauge") =>
    new RegExp(`^${what} on 127\\.0\\.0\\.1:(\\d+)$`, "m").exec(program.output())?.[1];
  await program.until(() => portOf("listening") !== undefined, START_MS);
  const startMs = performance.now() - startedAt;
  const [port, gaugePort] = [portOf("listening"), portOf("gauge")];
  if (port === undefined || gaugePort === undefined) {
    const last = program.lines().at(-1) ?? "it printed nothing";
    await program.stop();
    throw new Error(`${name} did not start: ${last}`);
  }
  const caFile = join(env.CERTS ?? "", "ca.pem");
  return {
    target: {
      address: `127.0.0.1:${port}`,
      rest,
      caFile: env.CERTS !== undefined && existsSync(caFile) ? caFile : undefined,
      token,
    },
    startMs,
    read: async () => JSON.parse(await text(connect(Number(gaugePort), "127.0.0.1"))),
    stop: () => program.stop(),
  };
}

/** Runs a program of the course. Nothing in the reader's own environment reaches it. */
function run(args: readonly string[], env: Subject["env"]): Program {
  const { PATH, Path, SystemRoot, TEMP, TMPDIR, HOME, USERPROFILE } = process.env;
  const system = { PATH, Path, SystemRoot, TEMP, TMPDIR, HOME, USERPROFILE };
  return new Program({
    file: process.execPath,
    args: ["--import", "tsx", ...args],
    cwd: courseRoot,
    env: { ...system, NODE_ENV: "production", PORT: "0", ...env },
  });
}
