// Server: one line for each call, when it ends, whichever way it ends.

import { ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";
import { REQUEST_ID } from "./request-id.ts";

/** A client whose deadline passes cancels, some time before ours passes: about one way's travel. */
const TRAVEL_MS = 50;

/** Prints `GetProduct OK 2ms in=1 out=1 id=…`, with the messages that came in and went out. */
export const loggingInterceptor: ServerInterceptor = ({ path }, call) => {
  const startedAt = performance.now();
  let [received, sent] = [0, 0];
  let requestId = "-";
  let recorded = false;
  // A call ends once, but may be told to end twice: by its handler and by its client.
  const record = (code: status) => {
    if (recorded) return;
    recorded = true;
    const ms = Math.round(performance.now() - startedAt);
    const name = path.split("/").at(-1);
    const id = logWord(requestId);
    console.log(`${name} ${status[code]} ${ms}ms in=${received} out=${sent} id=${id}`);
  };
  return new ServerInterceptingCall(call, {
    start(next) {
      next({
        onReceiveMetadata(metadata, next) {
          requestId = String(metadata.get(REQUEST_ID)[0] ?? requestId);
          next(metadata);
        },
        onReceiveMessage(message, next) {
          received++;
          next(message);
        },
        // A client that cancels, and a deadline that passes, show only here: no status is sent.
        onCancel() {
          const inTime = Date.now() + TRAVEL_MS < Number(call.getDeadline());
          record(inTime ? status.CANCELLED : status.DEADLINE_EXCEEDED);
        },
      });
    },
    sendMessage(message, next) {
      sent++;
      next(message);
    },
    sendStatus(sentStatus, next) {
      record(sentStatus.code ?? status.UNKNOWN);
      next(sentStatus);
    },
  });
};

/** Quoted unless it is one plain word: nobody may write what looks like another field. */
function logWord(text: string): string {
  return /^[\w.:@/-]+$/.test(text) ? text : JSON.stringify(text);
}
