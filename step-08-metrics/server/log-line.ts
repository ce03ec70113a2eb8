// Puts together what log lines about calls have in common.

import type { Metadata } from "@grpc/grpc-js";
import { REQUEST_ID } from "../metadata-keys.ts";

/** What a terminal obeys and doesn't show: controls, such as U+009B and U+202E, and line breaks. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Returns how a log line begins: the time, and the call as `CatalogService/GetProduct`. */
export function logStart(path: string): string {
  const withoutPackage = path.slice(Math.max(path.lastIndexOf("."), 0) + 1);
  return `${new Date().toISOString()} ${withoutPackage}`;
}

/** Returns the call's request id as `id=…`, to find the lines of all programs about one call. */
export function logId(metadata: Metadata): string {
  return `id=${logWord(String(metadata.get(REQUEST_ID)[0] ?? "-"))}`;
}

/** Quotes a text unless it is one plain word: nobody may write what looks like another field. */
export function logWord(text: string): string {
  return /^[\w.:@/-]+$/.test(text) ? text : JSON.stringify(text).replace(UNSEEN, escaped);
}

function escaped(character: string): string {
  const units = character.split("").map((unit) => unit.charCodeAt(0).toString(16).padStart(4, "0"));
  return units.map((unit) => `\\u${unit}`).join("");
}
