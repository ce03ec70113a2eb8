// Server: lets a call through to its handler if the policy allows it.

import { type Metadata, type ServerInterceptor, status } from "@grpc/grpc-js";
import { setIdentity } from "../../security/identity.ts";
import { actingFor, takeUser } from "../../security/on-behalf-of.ts";
import { isOpen, mayCall } from "../../security/policy.ts";
import type { TokenVerifier } from "../../security/verify-token.ts";
import { StatusError } from "../status-error.ts";
import { serverInterceptor } from "./server-interceptor.ts";

export function authInterceptor(verify: TokenVerifier): ServerInterceptor {
  return serverInterceptor(({ path }) => ({
    start(next) {
      next({
        // A handler begins when it gets the metadata, and grpc-js reads no message before the
        // handler asks for one. So a call that is refused here never begins, and its upload is not
        // read.
        async onReceiveMetadata(metadata, next) {
          await authorize(path, metadata, verify);
          next(metadata);
        },
      });
    },
  }));
}

/**
 * Verifies the token of a call, even if the method needs none.
 * @throws {StatusError} if the call is refused.
 */
async function authorize(path: string, metadata: Metadata, verify: TokenVerifier): Promise<void> {
  const user = takeUser(metadata);
  const [header] = metadata.get("authorization");
  if (header === undefined) {
    if (isOpen(path)) return;
    throw new StatusError(status.UNAUTHENTICATED, "token missing");
  }
  const [, token] = /^Bearer ([\w.~+/=-]+)$/i.exec(String(header)) ?? [];
  const identity = token === undefined ? "token invalid" : await verify(token);
  if (typeof identity === "string") throw new StatusError(status.UNAUTHENTICATED, identity);
  // Also for a call that is then refused, so that the log names its user.
  setIdentity(metadata, actingFor(user, identity));
  if (!mayCall(path, identity)) {
    throw new StatusError(
      status.PERMISSION_DENIED,
      `the role ${identity.role} may not call this method`,
    );
  }
}
