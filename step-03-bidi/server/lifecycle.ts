// A server's life: from its first listening socket to the last call that it answers.

import { once } from "node:events";
import { logVerbosity, type Server, type ServerCredentials, setLogVerbosity } from "@grpc/grpc-js";

const GRACE_MS = 5000;

/** Aborts on the first SIGINT (Ctrl+C) or SIGTERM; a second one ends the process at once. */
export function closeOnSignal(): AbortSignal {
  const closing = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => closing.abort());
  }
  return closing.signal;
}

/**
 * Serves until `closing` aborts and the calls under way have ended, or GRACE_MS has passed. Then it
 * ends the process, whatever a handler still does whose client is gone.
 */
export async function serve(
  server: Server,
  credentials: ServerCredentials,
  host: string,
  port: number,
  closing: AbortSignal,
): Promise<never> {
  const address = host.includes(":") ? `[${host}]` : host;
  const boundPort = await bind(server, `${address}:${port}`, credentials);
  console.log(`listening on ${address}:${boundPort}`);
  if (!closing.aborted) await once(closing, "abort"); // It may have come while we were starting.

  // From here on new calls are refused, and calls that are under way may end in peace. A peer that
  // never ends its calls must not keep the process alive, so patience has a limit.
  const impatience = setTimeout(() => server.forceShutdown(), GRACE_MS);
  await new Promise((resolve) => server.tryShutdown(resolve));
  clearTimeout(impatience);
  process.exit(0);
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  // grpc-js would log a line of its own when binding fails; the error below says more.
  const quiet = process.env.GRPC_VERBOSITY === undefined;
  if (quiet) setLogVerbosity(logVerbosity.NONE);
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (quiet) setLogVerbosity(logVerbosity.ERROR);
      if (error === null) resolve(port);
      else reject(new Error(`cannot listen on ${address}: ${bindProblem(error.message)}`));
    });
  });
}

function bindProblem(message: string): string {
  if (!message.includes("EADDRINUSE")) return message;
  return "the port is in use; stop the program that has it, or choose another with PORT=50061";
}
