// Starts servers of this step that print nothing, and counts what reaches them.

import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { importPKCS8, SignJWT } from "jose";
import { fetchSamples } from "../../shared/metrics/samples.ts";
import { ExpectedError } from "../../shared/terminal/program.ts";
import type { Role } from "../security/identity.ts";
import { keysFolder, readPrivateKey } from "../security/keys.ts";
import { AUDIENCE, ISSUER } from "../security/names.ts";
import { ALGORITHM } from "../security/verify-token.ts";

export interface QuietServer {
  /** HOST:PORT */
  readonly address: string;
  /** Returns how many calls of this method have arrived. Each attempt is one. */
  arrived(method: string): Promise<number>;
  /** Ends it as a crash would. */
  kill(): void;
  /** Asks it to end. */
  end(): void;
}

/**
 * Starts a server on free ports.
 * @param env is added to our own environment.
 * @throws {ExpectedError} with what it printed, if it ends before it listens.
 */
export async function startQuietly(file: string, env: NodeJS.ProcessEnv): Promise<QuietServer> {
  const ports = { HOST: "127.0.0.1", PORT: "0", METRICS_PORT: "0", TILL_MS: "0", KITCHEN_MS: "0" };
  const child = fork(join(import.meta.dirname, "..", file), {
    env: { ...process.env, ...ports, ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const [printed, found] = [[] as string[], new Map<string, string>()];
  const listening = new Promise<void>((resolve) => {
    for (const input of [child.stdout, child.stderr]) {
      if (input === null) continue;
      createInterface({ input }).on("line", (line) => {
        if (found.has("listening")) return;
        printed.push(line);
        const [, what, where] = /^(listening|metrics) on (\S+)$/.exec(line) ?? [];
        if (what !== undefined && where !== undefined) found.set(what, where);
        if (what === "listening") resolve();
      });
    }
  });
  await Promise.race([listening, once(child, "exit")]);
  const [address, metrics] = [found.get("listening"), found.get("metrics")];
  if (address === undefined || metrics === undefined) {
    throw new ExpectedError(`${file} did not start:\n${printed.join("\n")}`);
  }
  return {
    address,
    async arrived(method) {
      const samples = (await fetchSamples(metrics)).filter(
        ({ name, labels }) => name === "grpc_server_started_total" && labels.grpc_method === method,
      );
      return samples.reduce((sum, { value }) => sum + value, 0);
    },
    kill: () => child.kill("SIGKILL"),
    end: () => child.connected && child.disconnect(),
  };
}

/** Returns a token that is valid for ten minutes, for a user named as her role. */
export async function newToken(role: Role): Promise<string> {
  const key = await readPrivateKey(process.env.KEYS || keysFolder);
  return new SignJWT({ role })
    .setProtectedHeader({ alg: ALGORITHM })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(role)
    .setIssuedAt()
    .setExpirationTime("10m")
    .sign(await importPKCS8(key, ALGORITHM));
}
