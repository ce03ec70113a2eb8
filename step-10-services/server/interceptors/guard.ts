// Runs the functions of a server interceptor, and ends the call when one of them fails.

import {
  Metadata,
  type Responder,
  type ServerInterceptingCallInterface,
  type ServerListener,
} from "@grpc/grpc-js";
import { toStatus } from "../status-error.ts";

/** Guards one interceptor during one call. After the first function that fails it runs no more. */
export class Guard {
  readonly #path: string;
  readonly #call: ServerInterceptingCallInterface;
  #metadata: Metadata | undefined;
  #started = false;
  #failed = false;

  constructor(path: string, call: ServerInterceptingCallInterface) {
    this.#path = path;
    this.#call = call;
  }

  start(responder: Responder, next: (listener: ServerListener) => void): void {
    try {
      this.#watch((responder.start ?? runNext)((listener = {}) => this.#begin(listener, next)));
    } catch (thrown) {
      // Before it has started, a call can't be refused: fail when its metadata arrives.
      if (this.#started) this.#fail(thrown);
      else this.#begin({ onReceiveMetadata: () => this.#fail(thrown) }, next);
    }
  }

  run<Value>(
    act: (value: Value, next: (value: Value) => void) => unknown,
    value: Value,
    next: (value: Value) => void,
  ): void {
    if (this.#failed) return;
    try {
      this.#watch(act(value, next));
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #begin(listener: ServerListener, next: (listener: ServerListener) => void): void {
    this.#started = true;
    const { onReceiveMetadata = passOn, onReceiveMessage, onReceiveHalfClose, onCancel } = listener;
    const contained: ServerListener = {};
    contained.onReceiveMetadata = (metadata, next) => {
      this.#metadata = metadata;
      this.run(onReceiveMetadata, metadata, next);
    };
    if (onReceiveMessage !== undefined) {
      contained.onReceiveMessage = (message, next) => this.run(onReceiveMessage, message, next);
    }
    if (onReceiveHalfClose !== undefined) {
      contained.onReceiveHalfClose = (next) => this.run(onReceiveHalfClose, next, runNext);
    }
    if (onCancel !== undefined) {
      contained.onCancel = () => {
        try {
          this.#watch(onCancel()); // After a failure, too: here interceptors let go.
        } catch (thrown) {
          this.#fail(thrown);
        }
      };
    }
    next(contained);
  }

  /** An async function fails later, when its promise rejects. */
  #watch(result: unknown): void {
    if (result instanceof Promise) result.catch((thrown: unknown) => this.#fail(thrown));
  }

  #fail(thrown: unknown): void {
    const metadata = this.#metadata ?? new Metadata();
    const status = toStatus(thrown, { metadata, getPath: () => this.#path });
    if (!this.#failed) this.#call.sendStatus(status);
    this.#failed = true;
  }
}

export function passOn<Value>(value: Value, next: (value: Value) => void): void {
  next(value);
}

function runNext(next: () => void): void {
  next();
}
