// The thin client's like for REST: one request at a time on a connection that stays, HTTP/1.1.

import { connect, type Socket } from "node:net";

const BODY_LENGTH = /\r\ncontent-length: (\d+)\r\n/i;

/** Sends the same GET again and again. */
export class ThinRest {
  readonly #socket: Socket;
  readonly #request: Buffer;
  #answered: (outcome: { error?: Error }) => void = () => {};
  #received: Buffer = Buffer.alloc(0);

  constructor(address: string, path: string) {
    const [host = "", port = ""] = address.split(":");
    this.#request = Buffer.from(`GET ${path} HTTP/1.1\r\nhost: ${address}\r\n\r\n`);
    this.#socket = connect({ host, port: Number(port) });
    this.#socket.setNoDelay();
    this.#socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on("error", (error) => this.#answered({ error }));
  }

  /** @throws {Error} for any other status than 200. */
  get(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#answered = ({ error }) => (error === undefined ? resolve() : reject(error));
      this.#socket.write(this.#request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = this.#received.toString("latin1", 0, headEnd + 2);
    const length = Number(BODY_LENGTH.exec(head)?.[1] ?? 0);
    if (this.#received.length < headEnd + 4 + length) return;
    this.#received = Buffer.alloc(0);
    if (head.startsWith("HTTP/1.1 200 ")) this.#answered({});
    else this.#answered({ error: new Error(head.slice(0, head.indexOf("\r"))) });
  }
}
