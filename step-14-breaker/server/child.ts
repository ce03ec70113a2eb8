// Starts a server as a process of its own.

import { fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A server that another program has started. */
export interface Child {
  /** Resolves to true when the server listens, and to false if it ends before. */
  readonly listening: Promise<boolean>;
  /** Resolves to its exit code; 1 if a signal has ended it. */
  readonly ended: Promise<number>;
  /** Asks it to end, as a signal would. See closeOnSignal. */
  end(): void;
}

/**
 * Starts a program, and prints its process id: each server can be killed by itself.
 * @param env is added to our own environment.
 * @param prefix what its lines of output begin with.
 */
export function startChild(file: string, env: NodeJS.ProcessEnv, prefix: string): Child {
  const child = fork(file, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  console.log(`${prefix}process ${child.pid}`);
  const exit = once(child, "exit");
  const listening = new Promise<boolean>((resolve) => {
    for (const [from, to] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ] as const) {
      if (from === null) continue;
      createInterface({ input: from }).on("line", (line) => {
        to.write(`${prefix}${line}\n`);
        if (line.startsWith("listening on ")) resolve(true);
      });
    }
    void exit.then(() => resolve(false));
  });
  const ended = exit.then(([code, signal]) => {
    console.log(`${prefix}ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}`);
    return Number(code ?? 1);
  });
  return {
    listening,
    ended,
    end() {
      if (child.connected) child.disconnect();
    },
  };
}
