// Writes a message of a stream when there is room for it.

import { once } from "node:events";
import type { Writable } from "node:stream";

/**
 * Resolves when the next message may follow.
 * @throws the signal's reason once it has aborted: then nothing more is written.
 */
export async function writeMessage<Message>(
  call: Writable,
  message: Message,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  // false: the client reads slower than we write, and to go on would fill this process's memory.
  // An abort ends the wait too; the next call of this function then throws its reason.
  if (!call.write(message)) await once(call, "drain", { signal }).catch(() => {});
}
