// Starts a step's servers and client for tests: as processes, on real sockets.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { basename, join, resolve } from "node:path";
import { type Server, ServerCredentials } from "@grpc/grpc-js";
import { bareEnvironment, LOOPBACK } from "./environment.ts";
import { Program } from "./programs.ts";
import { addressVariables, type StepServer, serversOf } from "./step-servers.ts";

const START_MS = 60_000;

// Clients in a test's own process also bypass any proxy when they call this machine.
process.env.no_grpc_proxy = LOOPBACK;

// Set by the negative control (controls.ts): "STEP OTHER" runs the tests of STEP against the servers and
// the client of OTHER. Those tests are expected to fail, so they wait less long.
const [tested, instead] = (process.env.COURSE_CONTROL ?? "").split(" ");
const PATIENCE_MS = instead === undefined ? 30_000 : 200;

/** Options for a `describe` that starts no program: the control replaces programs, so it skips these. */
export const inThisProcess: { readonly skip: string | false } = {
  skip: instead !== undefined && "it starts no program",
};

/**
 * Returns the file of a program of the step in `folder`. Under the control, returns the program of the same
 * name in the other step, or that step's only server, which does the work of all.
 */
function programFile(folder: string, file: string): string {
  const isServer = serversOf(folder).some((server) => server.file === file);
  const redirected = instead !== undefined && basename(resolve(folder)) === tested;
  if (!redirected || (file !== "client.ts" && !isServer)) return join(folder, file);
  const other = join(folder, "..", instead);
  const names = serversOf(other).map((server) => server.file);
  const [only = file] = names.length === 1 ? names : [];
  return join(other, isServer && !names.includes(file) ? only : file);
}

/** A server that is listening. `await using` stops it at the end of the block. */
export interface RunningServer extends AsyncDisposable {
  readonly program: Program;
  /** HOST:PORT */
  readonly address: string;
}

// Loads only the ES module part of tsx, which is faster: tests start hundreds of programs.
const loader = ["--import", "tsx/esm"];

/** Starts a program of a step without waiting for it. A server gets a free port. */
export function startProgram(
  folder: string,
  file: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Program {
  return new Program({
    file: process.execPath,
    args: [...loader, programFile(folder, file), ...args],
    cwd: join(folder, ".."),
    env: bareEnvironment({ PORT: "0", METRICS_PORT: "0", ...env }),
  });
}

/**
 * Starts a server of the step in `folder` on a free port.
 * @param file the server's file, for a step with several servers.
 * @throws {Error} with what it printed, if it does not start to listen.
 */
export async function startServer(
  folder: string,
  env: NodeJS.ProcessEnv = {},
  file = "server.ts",
): Promise<RunningServer> {
  const program = startProgram(folder, file, [], env);
  const heard = () => /^listening on (\S+)$/m.exec(program.output())?.[1];
  await program.until(() => heard() !== undefined, START_MS);
  const address = heard();
  if (address === undefined) {
    const output = program.output();
    await program.stop();
    throw new Error(`the server did not start:\n${output}`);
  }
  return { program, address, [Symbol.asyncDispose]: () => program.stop() };
}

/** All servers of a step. `await using` stops them at the end of the block. */
export interface RunningServers extends AsyncDisposable {
  readonly servers: readonly RunningServer[];
  /** The variables that tell a client where they listen; see addressVariables. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Starts all servers of the step in `folder`, in order of name, each on a free port. Each server receives
 * the addresses of the servers before it.
 */
export async function startServers(
  folder: string,
  env: NodeJS.ProcessEnv = {},
): Promise<RunningServers> {
  const running: (readonly [StepServer, RunningServer])[] = [];
  const addresses = () =>
    addressVariables(running.map(([server, { address }]) => [server, address] as const));
  const stop = async () => {
    await Promise.all(running.map(([, { program }]) => program.stop()));
  };
  try {
    for (const server of serversOf(folder)) {
      const own = { ...addresses(), ...env };
      running.push([server, await startServer(folder, own, server.file)]);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const servers = running.map(([, server]) => server);
  return { servers, env: addresses(), [Symbol.asyncDispose]: stop };
}

/** What a client printed, and how it ended. */
export interface ClientRun {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** Runs a program of the step in `folder` until it exits: `file`, by default the client. */
export function runClient(
  folder: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  file = "client.ts",
): Promise<ClientRun> {
  const command = [...loader, programFile(folder, file), ...args];
  const options = { cwd: join(folder, ".."), env: bareEnvironment(env), timeout: START_MS };
  return new Promise((resolve) => {
    execFile(process.execPath, command, options, (error, stdout, stderr) => {
      resolve({ stdout, stderr, exitCode: error === null ? 0 : Number(error.code ?? -1) });
    });
  });
}

/**
 * Waits until `condition` holds.
 * @throws {AssertionError} if it still does not hold after `timeoutMs`.
 */
export async function eventually(condition: () => boolean, timeoutMs = PATIENCE_MS): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) assert.fail(`waited ${timeoutMs} ms in vain for: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Binds a server in this process to a free port. Returns HOST:PORT. */
export function listenHere(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(`127.0.0.1:${port}`);
      else reject(error);
    });
  });
}
