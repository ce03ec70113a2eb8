// Server: logs one line for each call when it ends, whichever way it ends.

import { Metadata, status } from "@grpc/grpc-js";
import { identityOf } from "../../security/identity.ts";
import { logId, logLeft, logStart, logTrace, logWord } from "../log-line.ts";
import { serverInterceptor } from "./server-interceptor.ts";

/**
 * Prints `TIME CatalogService/GetProduct OK 2ms in=1 out=1 id=…`, with the number of messages in
 * each direction. No interceptor that ends calls may come before it: see below.
 */
export const loggingInterceptor = serverInterceptor(({ path }, call) => {
  const startedAt = performance.now();
  const left = logLeft(call.getDeadline()); // Now, before time passes.
  // grpc-js reports only certificates that our CA has signed.
  const certificate = String(call.getAuthContext().sslPeerCertificate?.subject.CN ?? "-");
  let [received, sent] = [0, 0];
  let metadata = new Metadata();
  let trace = "";
  let recorded = false;
  // A call ends once, but both its handler and its client may end it.
  const record = (code: status) => {
    if (recorded) return;
    recorded = true;
    const ms = Math.round(performance.now() - startedAt);
    const counts = `in=${received} out=${sent} ${left}`;
    const { userId = "-", onBehalfOf = "-" } = identityOf(metadata) ?? {};
    const user = `user=${logWord(userId)} for=${logWord(onBehalfOf)}`;
    const who = `${user} cert=${logWord(certificate)} ${logId(metadata)}${trace}`;
    console.log(`${logStart(path)} ${status[code]} ${ms}ms ${counts} ${who}`);
  };

  // grpc-js itself ends a call whose message can't be decoded or whose deadline passes. Its status
  // passes no interceptor, but it does pass this method, which the first interceptor can wrap.
  // (Not `call.sendStatus = …`: guard.ts explains why.)
  const { sendStatus } = call;
  Object.assign(call, {
    sendStatus(ended: Parameters<typeof sendStatus>[0]) {
      record(ended.code ?? status.UNKNOWN);
      sendStatus.call(call, ended);
    },
  });
  return {
    start(next) {
      next({
        onReceiveMetadata(incoming, next) {
          trace = logTrace(); // Now, because the end may come from anywhere.
          metadata = incoming; // Interceptors further in add the request id to it.
          next(metadata);
        },
        onReceiveMessage(message, next) {
          received++;
          next(message);
        },
        // Runs at the end of every call. If no status was sent before, the client has cancelled.
        onCancel() {
          record(status.CANCELLED);
        },
      });
    },
    sendMessage(message, next) {
      sent++;
      next(message);
    },
  };
});
