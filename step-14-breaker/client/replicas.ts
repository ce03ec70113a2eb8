// Client: finds the addresses behind replicas:NAME in a file, and follows the file's changes.

import { readFileSync, unwatchFile, watchFile } from "node:fs";
import { join } from "node:path";
import { experimental, Metadata, status } from "@grpc/grpc-js";
import { ExpectedError } from "../../shared/terminal/program.ts";
import { addressProblem } from "./connection.ts";

/** The default file. */
export const replicasFile: string = join(import.meta.dirname, "..", "replicas.json");

/** How often the file is checked for changes. */
const POLL_MS = 50;

/** Lets this process dial replicas:NAME. Call it once, before the first channel opens. */
export function registerReplicas(file: string): void {
  /** grpc-js makes one for each channel. */
  class ReplicasResolver implements experimental.Resolver {
    readonly #name: string;
    readonly #listener: experimental.ResolverListener;
    readonly #onChange = () => this.#report();
    #watching = false;
    #known = false;

    constructor({ path }: experimental.GrpcUri, listener: experimental.ResolverListener) {
      this.#name = path;
      this.#listener = listener;
    }

    /** The name that the certificates of all these servers must be for. */
    static getDefaultAuthority({ path }: experimental.GrpcUri): string {
      return path;
    }

    /** Starts. Called again after each lost connection: no news then, since the file is watched. */
    updateResolution(): void {
      if (this.#watching) return;
      this.#watching = true;
      watchFile(file, { interval: POLL_MS, persistent: false }, this.#onChange);
      setImmediate(this.#onChange); // grpc-js expects no answer before this function returns.
    }

    /** Stops. grpc-js may start it again, after a channel was idle. */
    destroy(): void {
      this.#watching = false;
      this.#known = false;
      unwatchFile(file, this.#onChange);
    }

    #report(): void {
      if (!this.#watching) return;
      try {
        const endpoints = readReplicas(file, this.#name).map((address) => ({
          addresses: [hostAndPort(address)],
        }));
        this.#listener(experimental.statusOrFromValue(endpoints), {}, null, "");
        this.#known = true;
      } catch (error) {
        const details = error instanceof Error ? error.message : String(error);
        // The file may be missing or half written. The servers of the last list are still there.
        if (this.#known) console.error(`${details}; keeping the previous list`);
        else this.#fail(details);
      }
    }

    /** Fails the channel's calls, until there is a list. */
    #fail(details: string): void {
      const error = { code: status.UNAVAILABLE, details, metadata: new Metadata() };
      this.#listener(experimental.statusOrFromError(error), {}, null, "");
    }
  }
  experimental.registerResolver("replicas", ReplicasResolver);
}

/**
 * Returns the addresses of a name in a file such as {"NAME": ["HOST:PORT"]}.
 * @throws {ExpectedError} if there is no such file or list, or if anything in the list is wrong.
 */
export function readReplicas(file: string, name: string): string[] {
  const addresses = listIn(file, name);
  const problem = addresses.map(addressProblem).find((found) => found !== undefined);
  if (problem !== undefined) throw new ExpectedError(`${file}: an address ${problem}`);
  return addresses;
}

function listIn(file: string, name: string): string[] {
  try {
    const list: unknown = JSON.parse(readFileSync(file, "utf8"))?.[name];
    if (Array.isArray(list) && list.length > 0) return list.map(String);
  } catch (error) {
    throw new ExpectedError(`${file}: ${error instanceof Error ? error.message : error}`);
  }
  throw new ExpectedError(`${file}: has no addresses for "${name}"`);
}

function hostAndPort(address: string): { host: string; port: number } {
  const { host, port = 0 } = experimental.splitHostPort(address) ?? { host: address };
  return { host, port };
}
