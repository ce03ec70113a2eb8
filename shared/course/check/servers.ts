// For tests: a step's server and client as processes, on real sockets.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { basename, join, resolve } from "node:path";
import { type Server, ServerCredentials } from "@grpc/grpc-js";
import { Program } from "../play/programs.ts";

const START_MS = 20_000;

// Set by the negative control, see controls.ts: "STEP OTHER" gives the tests of STEP the server and the
// client of OTHER. What never comes is then not waited for as long.
const [tested, instead] = (process.env.COURSE_CONTROL ?? "").split(" ");
const PATIENCE_MS = instead === undefined ? 10_000 : 200;

/** For a `describe` that starts no program. The control is about programs, and passes it over. */
export const inThisProcess: { readonly skip: string | false } = {
  skip: instead !== undefined && "it starts no program",
};

/** The file of a program of the step in `folder`. */
function programFile(folder: string, file: string): string {
  const redirected = instead !== undefined && basename(resolve(folder)) === tested;
  return redirected && (file === "server.ts" || file === "client.ts")
    ? join(folder, "..", instead, file)
    : join(folder, file);
}

/** A server that is listening. `await using` ends it with the block. */
export interface RunningServer extends AsyncDisposable {
  readonly program: Program;
  /** HOST:PORT */
  readonly address: string;
}

/** The environment of a program under test: nothing of the tester's own settings, a free port. */
function cleanEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { PATH, Path, SystemRoot, TEMP, TMPDIR, HOME, USERPROFILE } = process.env;
  return { PATH, Path, SystemRoot, TEMP, TMPDIR, HOME, USERPROFILE, PORT: "0", ...env };
}

// Of tsx only what ES modules need: tests start hundreds of programs.
const loader = ["--import", "tsx/esm"];

/** Starts a program of a step without waiting for anything. */
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
    env: cleanEnvironment(env),
  });
}

/**
 * Starts the server of the step in `folder` on a free port.
 * @throws {Error} with what it printed, if it does not come to listen.
 */
export async function startServer(
  folder: string,
  env: NodeJS.ProcessEnv = {},
): Promise<RunningServer> {
  const program = startProgram(folder, "server.ts", [], env);
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

/** What a client printed, and how it ended. */
export interface ClientRun {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** Runs the client of the step in `folder` to its end. */
export function runClient(
  folder: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<ClientRun> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...loader, programFile(folder, "client.ts"), ...args],
      { cwd: join(folder, ".."), env: cleanEnvironment(env), timeout: START_MS },
      (error, stdout, stderr) => {
        resolve({ stdout, stderr, exitCode: error === null ? 0 : Number(error.code ?? -1) });
      },
    );
  });
}

/**
 * Waits until `condition` holds.
 * @throws {AssertionError} if it does not within `timeoutMs`.
 */
export async function eventually(condition: () => boolean, timeoutMs = PATIENCE_MS): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) assert.fail(`still not so after ${timeoutMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Lets a server in this process listen on a free port. Gives HOST:PORT. */
export function listenHere(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(`127.0.0.1:${port}`);
      else reject(error);
    });
  });
}
