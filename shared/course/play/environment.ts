// Creates the environment of a README's commands: free ports, and the addresses of the step's servers.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bareEnvironment } from "../../testing/environment.ts";
import { addressVariables, type StepServer, serversOf } from "../../testing/step-servers.ts";
import { filesBelow } from "../generate.ts";
import { PortMap } from "./ports.ts";

const DEFAULT_PORT = "50051";
const METRICS_PORT = "9464";
const COLLECTOR_PORT = "4318";

/** The environment of a README's commands: the variables that they export, and the actual ports. */
export type Environment = Awaited<ReturnType<typeof createEnvironment>>;

/**
 * Finds a free port for each port in `text`, and for each server of the step.
 * @param folder the folder of the README, relative to the copy of the course in `root`.
 */
export async function createEnvironment(root: string, folder: string, text: string) {
  const servers = serversOf(join(root, folder)).map(
    (server) => [server, defaultPort(join(root, folder, server.file))] as const,
  );
  const metrics = (file: string) => defaultPort(file, "METRICS_PORT", METRICS_PORT);
  const used = servers.flatMap(([{ file }, port]) => [port, metrics(join(root, folder, file))]);
  const replicas = join(root, folder, "replicas.json");
  const list = existsSync(replicas) ? readFileSync(replicas, "utf8") : "";
  const known = [DEFAULT_PORT, METRICS_PORT, COLLECTOR_PORT, ...used];
  const ports = await PortMap.forText([text, list, ...known].join(" "));
  // Programs read addresses from these files: Prometheus, and clients that balance.
  for (const file of servers.length > 0 ? filesBelow(join(root, folder), ".yml") : []) {
    const path = join(root, folder, file);
    writeFileSync(path, ports.toReal(readFileSync(path, "utf8")));
  }
  if (list !== "") writeFileSync(replicas, ports.toReal(list));
  const addresses = servers.map(
    ([server, port]) => [server, `127.0.0.1:${ports.toReal(port)}`] as const,
  );
  // A program that starts several servers reads the ports of each: ORDERS_PORT, ORDERS_METRICS_PORT.
  const portsOf = ([{ file, variable }, port]: readonly [StepServer, string]) => {
    const name = variable.replace("_ADDRESS", "");
    const page = ports.toReal(metrics(join(root, folder, file)));
    return { [`${name}_PORT`]: ports.toReal(port), [`${name}_METRICS_PORT`]: page };
  };
  const exported: NodeJS.ProcessEnv = {};
  return {
    ports,
    exported,
    /** Returns the environment for `command`, given as the README shows it. */
    forCommand(command: string): NodeJS.ProcessEnv {
      const [server = ""] = /\S+server\.ts\b/.exec(command) ?? [];
      return bareEnvironment({
        NO_COLOR: "1",
        PORT: ports.toReal(defaultPort(join(root, server))),
        METRICS_PORT: ports.toReal(metrics(join(root, server))),
        COLLECTOR_PORT: ports.toReal(COLLECTOR_PORT),
        WIRE_PORT: ports.toReal("50060"),
        BAKERY_ADDRESS: `127.0.0.1:${ports.toReal(DEFAULT_PORT)}`,
        ...(addresses.length > 0 && addressVariables(addresses)),
        ...(list !== "" && { BAKERY_ADDRESS: undefined }),
        ...Object.assign({}, ...servers.map(portsOf)),
        ...exported,
      });
    },
  };
}

/** Returns a server's default port, which its file contains. */
function defaultPort(file: string, setting = "PORT", otherwise = DEFAULT_PORT): string {
  const text = file.endsWith(".ts") && existsSync(file) ? readFileSync(file, "utf8") : "";
  return new RegExp(`\\b${setting}: \\{[^}]*default: "?(\\d+)`).exec(text)?.[1] ?? otherwise;
}
