// Server: ends streams whose handlers don't know that the server is closing.

import { setMaxListeners } from "node:events";
import type { ServerInterceptor } from "@grpc/grpc-js";
import type { StatusError } from "../status-error.ts";
import { serverInterceptor } from "./server-interceptor.ts";

export interface ClosingOptions {
  /** Aborts when the server closes, with a StatusError. */
  readonly closing: AbortSignal;
  /** Returns true for a method whose handler ends its streams by itself. */
  readonly endsByItself: (path: string) => boolean;
}

/** The streams of health and reflection stay open for as long as a client likes. This ends them. */
export function closingInterceptor({ closing, endsByItself }: ClosingOptions): ServerInterceptor {
  setMaxListeners(0, closing); // One signal for all calls: many listeners are no leak here.
  return serverInterceptor(({ path, responseStream }, call) => {
    if (!responseStream || endsByItself(path)) return {};
    let over = false;
    const letGo = () => {
      over = true;
      closing.removeEventListener("abort", end);
    };
    const end = () => {
      if (over) return;
      letGo();
      const { code, details }: StatusError = closing.reason;
      call.sendStatus({ code, details });
    };
    return {
      start(next) {
        next({ onCancel: letGo });
        closing.addEventListener("abort", end);
        if (closing.aborted) end();
      },
      sendMessage(message, next) {
        if (!over) next(message);
      },
      sendStatus(status, next) {
        if (over) return; // The handler ends a call that has ended.
        letGo();
        next(status);
      },
    };
  });
}
