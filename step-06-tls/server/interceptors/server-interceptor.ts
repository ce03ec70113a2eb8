// Contains the errors of a server interceptor: they end its call, and not the process.

import {
  Metadata,
  type Responder,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerListener,
} from "@grpc/grpc-js";
import { toStatus } from "../status-error.ts";

/**
 * Returns an interceptor for grpc-js from a function that returns only the Responder of a call:
 * what you would give to `new ServerInterceptingCall(call, responder)`.
 *
 * grpc-js catches nothing that an interceptor throws. Here an error, thrown or rejected, at
 * whatever point, ends the call with its status if it is a StatusError, and with INTERNAL
 * otherwise. So an interceptor refuses a call by throwing a StatusError. What else comes in or goes
 * out then stops here.
 */
export function serverInterceptor(
  intercept: (...args: Parameters<ServerInterceptor>) => Responder,
): ServerInterceptor {
  return (method, call) => {
    let metadata = new Metadata();
    let failed = false;
    const fail = (thrown: unknown) => {
      const status = toStatus(thrown, { metadata, getPath: () => method.path });
      if (!failed) call.sendStatus(status);
      failed = true;
    };
    const attempt = (act: () => unknown, onError = fail) => {
      try {
        const result = act();
        if (result instanceof Promise) result.catch(onError);
      } catch (thrown) {
        onError(thrown);
      }
    };
    const contained = (listener: ServerListener): ServerListener => ({
      onReceiveMetadata(received, next) {
        metadata = received;
        attempt(() => (listener.onReceiveMetadata ?? passOn)(received, next));
      },
      onReceiveMessage(message, next) {
        if (!failed) attempt(() => (listener.onReceiveMessage ?? passOn)(message, next));
      },
      onReceiveHalfClose(next) {
        if (!failed) attempt(() => (listener.onReceiveHalfClose ?? run)(next));
      },
      onCancel: () => attempt(() => listener.onCancel?.()),
    });

    const responder = responderOrFailure(() => intercept(method, call));
    return new ServerInterceptingCall(call, {
      start(next) {
        let started = false;
        const begin = (listener: ServerListener = {}) => {
          started = true;
          next(contained(listener));
        };
        attempt(
          () => (responder.start ?? run)(begin),
          // Before it has started, a call can't be refused: fail when the metadata arrives.
          (thrown) => (started ? fail(thrown) : begin({ onReceiveMetadata: () => fail(thrown) })),
        );
      },
      sendMetadata(sent, next) {
        if (!failed) attempt(() => (responder.sendMetadata ?? passOn)(sent, next));
      },
      sendMessage(message, next) {
        if (!failed) attempt(() => (responder.sendMessage ?? passOn)(message, next));
      },
      sendStatus(status, next) {
        if (!failed) attempt(() => (responder.sendStatus ?? passOn)(status, next));
      },
    });
  };
}

/** Returns the responder, or one that fails at its start if `make` throws. */
function responderOrFailure(make: () => Responder): Responder {
  try {
    return make();
  } catch (thrown) {
    return {
      start() {
        throw thrown;
      },
    };
  }
}

function passOn<Value>(value: Value, next: (value: Value) => void): void {
  next(value);
}

function run(next: () => void): void {
  next();
}
