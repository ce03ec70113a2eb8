// The servers of a run: the course's steps as they stand, and what they are compared with.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { courseRoot, listSteps } from "../course/steps.ts";
import { BARE, BARE_TLS, CARELESS, CONNECT, NICE, REST } from "./figures.ts";
import type { Target, Workload } from "./jobs.ts";
import { here, ownEnvironment, Process } from "./processes.ts";

const START_MS = 30_000;
const gauge = pathToFileURL(here("gauge.ts")).href;

/** A server that can be started. */
export interface Subject {
  readonly name: string;
  readonly isStep: boolean;
  /** Its file, relative to the course. */
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  readonly protocol: Target["protocol"];
  readonly offers: readonly Workload[];
}

/** A server that listens, and how to reach it. */
export interface Running {
  readonly subject: Subject;
  readonly process: Process;
  readonly target: Target;
}

const everything: readonly Workload[] = ["unary", "server-stream", "client-stream", "bidi"];

/**
 * All servers: the steps in their order, then the others.
 * @param folder for the keys and certificates that they make.
 */
export function listSubjects(folder: string): Subject[] {
  const steps = listSteps();
  const newest = steps.at(-1)?.name ?? "";
  const ownFolders = (name: string) => ({
    KEYS: join(folder, `${name}-keys`),
    CERTS: join(folder, `${name}-certs`),
  });
  const competitor = (name: string, file: string, more: Partial<Subject> = {}): Subject => ({
    name,
    isStep: false,
    file: `shared/bench/servers/${file}`,
    env: {},
    protocol: "grpc",
    offers: everything,
    ...more,
  });
  const withClient = [...everything, "generated-client"] as const;
  return [
    ...steps.map(
      ({ name }): Subject => ({
        name,
        isStep: true,
        file: `${name}/server.ts`,
        env: { TILL_MS: "0", KITCHEN_MS: "0", ...ownFolders(name) },
        protocol: "grpc",
        offers: [...offersOf(name), ...(name === newest ? ["generated-client" as const] : [])],
      }),
    ),
    competitor("raw node:http2", "http2.ts"),
    competitor(BARE, "bare.ts", { offers: withClient }),
    competitor(BARE_TLS, "bare.ts", {
      offers: withClient,
      env: { CERTS: ownFolders("bare").CERTS },
    }),
    competitor("grpc-js, proto-loader", "proto-loader.ts", {
      env: { PROTO: join(courseRoot, newest, "proto") },
    }),
    competitor(NICE, "nice-grpc.ts"),
    competitor(CONNECT, "connect.ts"),
    competitor(REST, "fastify.ts", { protocol: "rest", offers: ["unary", "generated-client"] }),
  ];
}

/** The bare server that never waits for a reader: what the steps avoid. */
export function carelessSubject(bare: Subject): Subject {
  return { ...bare, name: CARELESS, env: { CARELESS: "1" } };
}

/** The loads that a step's contract allows. */
function offersOf(step: string): Workload[] {
  const folder = join(courseRoot, step, "proto");
  const contract = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".proto"))
    .map((file) => readFileSync(join(folder, file), "utf8"))
    .join("\n");
  const calls = ["GetProduct", "WatchProducts", "RestockProducts", "TrackOrder"];
  return everything.filter((_, at) => contract.includes(`rpc ${calls[at]}(`));
}

/**
 * Starts a server and finds out how to speak to it: over TLS if it has made a certificate, with a
 * baker's token if its step can print one.
 * @param log the file for its output.
 * @throws {Error} with what it printed, if it does not come to listen.
 */
export async function startSubject(
  subject: Subject,
  log: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const settings = { ...subject.env, ...env };
  const process = new Process(join(courseRoot, subject.file), settings, log, [gauge]);
  try {
    const address = await process.listening(START_MS);
    const caFile = join(settings.CERTS ?? "", "ca.pem");
    const target = {
      address,
      protocol: subject.protocol,
      caFile: settings.CERTS !== undefined && existsSync(caFile) ? caFile : undefined,
      token: subject.isStep ? printToken(subject, settings) : undefined,
    };
    return { subject, process, target };
  } catch (error) {
    await process.stop();
    throw error;
  }
}

function printToken(subject: Subject, env: Readonly<Record<string, string>>): string | undefined {
  const program = join(courseRoot, subject.file, "..", "token.ts");
  if (!existsSync(program)) return undefined;
  const args = ["--import", "tsx", program, "--user", "ada", "--role", "baker"];
  return execFileSync(process.execPath, args, {
    cwd: courseRoot,
    env: ownEnvironment(env),
    encoding: "utf8",
    timeout: START_MS,
  }).trim();
}
