// Writes a message to a stream, and waits until there is room for the next one.

import { once } from "node:events";
import type { Writable } from "node:stream";

/**
 * Resolves when the next message may be written, or when the signal aborts.
 * @throws the signal's reason if it has aborted; nothing is written then.
 */
export async function writeMessage<Message>(
  call: Writable,
  message: Message,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  // write() returned false: the buffer is full, because the client reads more slowly than we write.
  // Without the wait, messages would pile up in memory. An abort ends the wait, too.
  if (!call.write(message)) await once(call, "drain", { signal }).catch(() => {});
}
