// Replaces the ports of a README with free ones, so that it runs next to other programs.

import { once } from "node:events";
import { createServer } from "node:net";

/** Matches a port in a README: 50000 to 59999, and those of metrics, traces and Prometheus. */
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

  /** Returns a README's text with the actual ports. */
  toReal(text: string): string {
    return text.replace(PORT, (port) => this.#real.get(port) ?? port);
  }

  /** Returns a program's output with the ports shown in the README. */
  toReadme(text: string): string {
    let mapped = text;
    for (const [port, real] of this.#real) {
      mapped = mapped.replace(new RegExp(`\\b${real}\\b`, "g"), port);
    }
    return mapped;
  }
}

/**
 * Finds a free port below the range that systems assign automatically (from 32768 or 49152), so that no
 * other program gets it between this check and its use. It has five digits, like the ports in the READMEs,
 * so that lengths on the wire stay the same.
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
