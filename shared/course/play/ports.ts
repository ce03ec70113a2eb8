// The ports of a README, moved out of the way of whatever else this machine runs.

import { once } from "node:events";
import { createServer } from "node:net";

/** A port as a README writes it: 50000 to 59999, those of metrics and traces, and that of Prometheus. */
const PORT = /\b(5\d{4}|946\d|4318|9090)\b/g;

/** Maps the ports of a README to free ones. */
export class PortMap {
  readonly #real = new Map<string, string>();

  /** Finds a free port for every port in `text`. */
  static async forText(text: string): Promise<PortMap> {
    const map = new PortMap();
    for (const port of new Set(text.match(PORT))) {
      map.#real.set(port, String(await freePort([...map.#real.values()])));
    }
    return map;
  }

  /** Returns a README's text with the ports that are really used. */
  toReal(text: string): string {
    return text.replace(PORT, (port) => this.#real.get(port) ?? port);
  }

  /** Returns a program's text with the ports that the README writes. */
  toReadme(text: string): string {
    let mapped = text;
    for (const [port, real] of this.#real) {
      mapped = mapped.replace(new RegExp(`\\b${real}\\b`, "g"), port);
    }
    return mapped;
  }
}

/**
 * Finds a port below those that systems hand out by themselves (from 32768 or 49152), so that no other
 * program is given it between the moment it is tried and the moment it is used. It has five digits, as in
 * the READMEs, so that lengths on the wire stay the same.
 */
async function freePort(taken: readonly string[]): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (taken.includes(String(port))) continue;
    const probe = createServer();
    try {
      probe.listen(port, "127.0.0.1");
      await once(probe, "listening");
      return port;
    } catch {
      // In use: try another.
    } finally {
      probe.close();
    }
  }
}
