// Runs the functions of a server interceptor, and ends the call when one of them fails.

import {
  Metadata,
  type Responder,
  type ServerInterceptingCallInterface,
  type ServerListener,
} from "@grpc/grpc-js";
import { toStatus } from "../status-error.ts";

/** Guards one interceptor during one call. Once a function has failed, only onCancel still runs. */
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
      // A call can't be refused before it has started, so fail when its metadata arrives.
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
    const { onReceiveMetadata = passOn, onReceiveMessage = passOn } = listener;
    const { onReceiveHalfClose = runNext, onCancel = doNothing } = listener;
    const guard = this;
    this.#started = true;
    // Methods of a literal, because V8 puts a function that is assigned to a property among its
    // long-lived objects. There it keeps the whole call in memory until a full garbage collection.
    next({
      onReceiveMetadata(metadata, next) {
        guard.#metadata = metadata;
        guard.run(onReceiveMetadata, metadata, next);
      },
      onReceiveMessage(message, next) {
        guard.run(onReceiveMessage, message, next);
      },
      onReceiveHalfClose(next) {
        guard.run(onReceiveHalfClose, next, runNext);
      },
      onCancel() {
        try {
          guard.#watch(onCancel()); // After a failure too: interceptors clean up here.
        } catch (thrown) {
          guard.#fail(thrown);
        }
      },
    });
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

function doNothing(): void {}
