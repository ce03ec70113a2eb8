// Which interceptors a call passes on its way to a handler of the bakery, and in which order.

import type { ServerInterceptor } from "@grpc/grpc-js";
import type { CallMetrics } from "./metrics/call-metrics.ts";
import { tokenVerifier } from "./security/verify-token.ts";
import { authInterceptor } from "./server/interceptors/auth.ts";
import { closingInterceptor } from "./server/interceptors/closing.ts";
import { hardened } from "./server/interceptors/hardened.ts";
import { loggingInterceptor } from "./server/interceptors/logging.ts";
import { countingCalls } from "./server/interceptors/metrics.ts";
import { oneAtATimeInterceptor } from "./server/interceptors/one-at-a-time.ts";
import { requestIdInterceptor } from "./server/interceptors/request-id.ts";
import { tracedCalls } from "./server/interceptors/tracing.ts";
import { unaryDeadlineInterceptor } from "./server/interceptors/unary-deadline.ts";

/** Returns them from outside in. The first sees a call first, and its outcome last. */
export async function bakeryInterceptors(options: {
  /** Whether to record calls as spans. */
  tracing: boolean;
  metrics: CallMetrics;
  /** The key that tokens are verified with, as PEM. */
  publicKey: string;
  /** Aborts when the server closes. */
  closing: AbortSignal;
}): Promise<ServerInterceptor[]> {
  const { tracing, metrics, publicKey, closing } = options;
  const ours = (path: string) => path.startsWith("/bakery.");
  const counting = countingCalls(metrics, hardened(loggingInterceptor));
  return [
    tracing ? tracedCalls(counting) : counting,
    requestIdInterceptor,
    unaryDeadlineInterceptor(60_000),
    authInterceptor(await tokenVerifier(publicKey)),
    closingInterceptor({ closing, endsByItself: ours }),
    oneAtATimeInterceptor(ours),
  ];
}
