// Formats the parts that log lines about calls share.

import type { Deadline, Metadata } from "@grpc/grpc-js";
import { PREVIOUS_ATTEMPTS, REQUEST_ID } from "../metadata-keys.ts";
import { currentTraceId } from "../tracing/traced.ts";

/** Characters that change how a terminal shows a line: controls, line breaks, U+202E. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Returns the start of a log line: the time, and the call as `CatalogService/GetProduct`. */
export function logStart(path: string): string {
  const withoutPackage = path.slice(Math.max(path.lastIndexOf("."), 0) + 1);
  return `${new Date().toISOString()} ${withoutPackage}`;
}

/** Returns the call's request id as `id=…`, the same in the lines of all programs. */
export function logId(metadata: Metadata): string {
  return `id=${logWord(String(metadata.get(REQUEST_ID)[0] ?? "-"))}`;
}

/** Returns how long the caller still waits as `left=250ms`, or `left=-` if it waits forever. */
export function logLeft(deadline: Deadline): string {
  const leftMs = Math.round(Number(deadline) - Date.now());
  return `left=${leftMs === Number.POSITIVE_INFINITY ? "-" : `${leftMs}ms`}`;
}

/** Returns which attempt at the call this is, as `attempt=2`. Only as true as the client's word. */
export function logAttempt(metadata: Metadata): string {
  return `attempt=${1 + Number(metadata.get(PREVIOUS_ATTEMPTS)[0] ?? 0)}`;
}

/** Returns ` trace=…` in a call that is being traced, otherwise nothing. */
export function logTrace(): string {
  const id = currentTraceId();
  return id === undefined ? "" : ` trace=${id}`;
}

/** Quotes a text unless it is one plain word, so that it can't look like another field. */
export function logWord(text: string): string {
  return /^[\w.:@/-]+$/.test(text) ? text : JSON.stringify(text).replace(UNSEEN, escaped);
}

function escaped(character: string): string {
  const units = character.split("").map((unit) => unit.charCodeAt(0).toString(16).padStart(4, "0"));
  return units.map((unit) => `\\u${unit}`).join("");
}
