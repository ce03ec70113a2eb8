// Server: lets a call through to its handler if the policy says so.

import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
  status,
} from "@grpc/grpc-js";
import { setIdentity } from "../../security/identity.ts";
import { isOpen, mayCall } from "../../security/policy.ts";
import type { TokenVerifier } from "../../security/verify-token.ts";
import { StatusError, toStatus } from "../status-error.ts";

export function authInterceptor(verify: TokenVerifier): ServerInterceptor {
  return ({ path }, call) =>
    new ServerInterceptingCall(call, {
      start(next) {
        next({
          // The handler begins with the metadata, and grpc-js reads no message before the handler
          // asks for one. So a call that is refused here never begins, and its upload is not read.
          onReceiveMetadata(metadata, next) {
            authorize(path, metadata, verify).then(
              () => next(metadata),
              (thrown: unknown) => call.sendStatus(toStatus(thrown, path)),
            );
          },
        });
      },
    });
}

/** Throws the status of a call that is refused. A token is checked also where none is needed. */
async function authorize(path: string, metadata: Metadata, verify: TokenVerifier): Promise<void> {
  const [header] = metadata.get("authorization");
  if (header === undefined) {
    if (isOpen(path)) return;
    throw new StatusError(status.UNAUTHENTICATED, "token missing");
  }
  const [, token] = /^Bearer ([\w.~+/=-]+)$/i.exec(String(header)) ?? [];
  const identity = token === undefined ? "token invalid" : await verify(token);
  if (typeof identity === "string") throw new StatusError(status.UNAUTHENTICATED, identity);
  setIdentity(metadata, identity); // Also for a refused call: the log tells whose it was.
  if (!mayCall(path, identity)) {
    throw new StatusError(status.PERMISSION_DENIED, `a ${identity.role} may not call this`);
  }
}
