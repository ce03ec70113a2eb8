// Starts a server, and stops it without losing the calls in progress.

import { once } from "node:events";
import { logVerbosity, type Server, type ServerCredentials, setLogVerbosity } from "@grpc/grpc-js";
import { ExpectedError } from "../../shared/terminal/program.ts";
import { callsUnderWay } from "./call-context.ts";
import { redactGrpcLog } from "./grpc-log.ts";
import type { StatusError } from "./status-error.ts";

const GRACE_MS = 5000;

/** Where a server listens, and with which credentials. */
export interface Listening {
  readonly credentials: ServerCredentials;
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** Saves what must not be lost before the process ends, in about a second at most. */
  readonly flush: () => Promise<void>;
}

/**
 * Returns two signals for SIGINT (Ctrl+C) or SIGTERM: `draining` aborts at once, and `closing`
 * `drainMs` later. Until then, every call is served, new ones too. A second SIGINT or SIGTERM ends
 * the process. If another program has forked this one, they abort too when that program
 * disconnects or is gone, even by SIGKILL.
 * @param options.reason the status that ends open streams.
 */
export function closeOnSignal({ reason, drainMs }: { reason: StatusError; drainMs: number }): {
  draining: AbortSignal;
  closing: AbortSignal;
} {
  const draining = new AbortController();
  const closing = new AbortController();
  const onSignal = () => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, onSignal);
    close();
  };
  const close = () => {
    draining.abort();
    if (drainMs > 0) setTimeout(() => closing.abort(reason), drainMs);
    else closing.abort(reason);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal);
  process.once("disconnect", close);
  process.channel?.unref(); // It doesn't keep a process alive whose server couldn't start.
  return { draining: draining.signal, closing: closing.signal };
}

/**
 * Serves until `closing` aborts. Then it refuses new calls, gives calls in progress up to GRACE_MS
 * to finish, and ends the process: with exit code 0, or with 1 if it had to cut calls off.
 * @throws {ExpectedError} if the server cannot listen.
 */
export async function serve(
  server: Server,
  { credentials, host, port, flush }: Listening,
  closing: AbortSignal,
): Promise<never> {
  redactGrpcLog();
  const address = host.includes(":") ? `[${host}]` : host;
  const boundPort = await bind(server, `${address}:${port}`, credentials);
  console.log(`listening on ${address}:${boundPort}`);
  if (!closing.aborted) await once(closing, "abort"); // The signal may come before we listen.

  // A silent or frozen peer keeps tryShutdown waiting. forceShutdown doesn't end that wait, so a
  // timer ends the process. The operating system then closes the connections that are left.
  const end = async () => {
    const exitCode = callsUnderWay() > 0 ? 1 : 0;
    await flush();
    process.exit(exitCode);
  };
  setTimeout(end, GRACE_MS);
  await new Promise((resolve) => server.tryShutdown(resolve));
  return end();
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  // If binding fails, grpc-js prints a line of its own. The error below says more.
  const quiet = process.env.GRPC_VERBOSITY === undefined;
  if (quiet) setLogVerbosity(logVerbosity.NONE);
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (quiet) setLogVerbosity(logVerbosity.ERROR);
      if (error === null) resolve(port);
      else reject(new ExpectedError(`cannot listen on ${address}: ${bindProblem(error.message)}`));
    });
  });
}

function bindProblem(message: string): string {
  if (!message.includes("EADDRINUSE")) return message;
  return "the port is in use; stop the program that has it, or choose another with PORT=50061";
}
