// Server: ends the streams of handlers that are not ours, and do not know that the server closes.

import { setMaxListeners } from "node:events";
import { ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";

/** Health.Watch and reflection stay open for as long as a client likes. Our own streams do not. */
export function closingInterceptor(closing: AbortSignal): ServerInterceptor {
  setMaxListeners(0, closing); // One signal for all calls: many listeners are no leak here.
  return ({ path, responseStream }, call) => {
    if (!responseStream || path.startsWith("/bakery.")) return new ServerInterceptingCall(call);
    const end = () => {
      call.sendStatus({ code: status.UNAVAILABLE, details: "the bakery is closing" });
    };
    const letGo = () => closing.removeEventListener("abort", end);
    return new ServerInterceptingCall(call, {
      start(next) {
        next({ onCancel: letGo });
        closing.addEventListener("abort", end);
        if (closing.aborted) end();
      },
      sendStatus(sent, next) {
        letGo();
        next(sent);
      },
    });
  };
}
