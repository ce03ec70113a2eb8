// Lets the user leave a stream with Ctrl+C.

import { type ClientReadableStream, status } from "@grpc/grpc-js";
import { isServiceError } from "./call-failure.ts";

/**
 * Runs `read`, which reads a stream to its end. Ctrl+C or `leave` cancels the call; the call then
 * ends with CANCELLED, which is not treated as an error.
 * @returns true if the call was cancelled in this way.
 */
export async function untilInterrupt(
  call: Pick<ClientReadableStream<unknown>, "cancel">,
  read: (leave: () => void) => Promise<void>,
): Promise<boolean> {
  let left = false;
  const leave = () => {
    left = true;
    call.cancel(); // If we only stopped reading, the call would stay open at the server.
  };
  process.once("SIGINT", leave);
  try {
    await read(leave);
  } catch (error) {
    if (!(left && isServiceError(error) && error.code === status.CANCELLED)) throw error;
  } finally {
    process.off("SIGINT", leave);
  }
  return left;
}
