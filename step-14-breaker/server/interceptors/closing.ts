// Server: ends streams whose handlers don't know that the server is closing.

import { setMaxListeners } from "node:events";
import type { ServerInterceptor } from "@grpc/grpc-js";
import { serverInterceptor } from "./server-interceptor.ts";

export interface ClosingOptions {
  /** Aborts when the server closes, with a StatusError. */
  readonly closing: AbortSignal;
  /** Returns true for a method whose handler ends its streams by itself. */
  readonly endsByItself: (path: string) => boolean;
}

/** Ends the streams of health and reflection, which would otherwise last until clients end them. */
export function closingInterceptor({ closing, endsByItself }: ClosingOptions): ServerInterceptor {
  setMaxListeners(0, closing); // One signal serves all calls: many listeners aren't a leak here.
  return serverInterceptor(({ path, responseStream }) => {
    if (!responseStream || endsByItself(path)) return {};
    return {
      // A promise that rejects ends the call, as any error in an interceptor does.
      start(next) {
        return new Promise<void>((resolve, reject) => {
          const end = () => reject(closing.reason);
          const letGo = () => {
            closing.removeEventListener("abort", end);
            resolve();
          };
          closing.addEventListener("abort", end);
          next({ onCancel: letGo }); // onCancel comes at the end of every call.
          if (closing.aborted) end();
        });
      },
    };
  });
}
