// Contains the errors of a server interceptor: they end its call, and not the process.

import { type Responder, ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import { Guard, passOn } from "./guard.ts";

/**
 * Returns an interceptor for grpc-js from a function that returns the Responder of a call, which
 * you would otherwise give to `new ServerInterceptingCall(call, responder)`.
 *
 * grpc-js catches nothing that an interceptor throws. Here any error, thrown or rejected, ends the
 * call: with its status if it is a StatusError, and with INTERNAL otherwise. So an interceptor
 * refuses a call by throwing a StatusError. After that, nothing passes in either direction.
 */
export function serverInterceptor(
  intercept: (...args: Parameters<ServerInterceptor>) => Responder,
): ServerInterceptor {
  return (method, call) => {
    const responder = responderOrFailure(() => intercept(method, call));
    if (isEmpty(responder)) return new ServerInterceptingCall(call); // Nothing can fail.
    const guard = new Guard(method.path, call);
    const { sendMetadata = passOn, sendMessage = passOn, sendStatus = passOn } = responder;
    return new ServerInterceptingCall(call, {
      start(next) {
        guard.start(responder, next);
      },
      sendMetadata(metadata, next) {
        guard.run(sendMetadata, metadata, next);
      },
      sendMessage(message, next) {
        guard.run(sendMessage, message, next);
      },
      sendStatus(status, next) {
        guard.run(sendStatus, status, next);
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

function isEmpty({ start, sendMetadata, sendMessage, sendStatus }: Responder): boolean {
  return (start ?? sendMetadata ?? sendMessage ?? sendStatus) === undefined;
}
