// Many watches that stay open, for what they cost the server in memory.

import { setTimeout as wait } from "node:timers/promises";
import type { Target } from "../jobs.ts";
import { listProducts, restock } from "./calls.ts";
import { connect } from "./clients.ts";

const WATCHES_A_CONNECTION = 100;
/** Bytes that a reader that does not read lets lie in the connection: few, so that it shows soon. */
const SLOW_WINDOW = 1024;
const CRATES_A_PRODUCT = 100;

/**
 * Fills the shelf, so that the till has something to sell for a long time, and opens `count` watches
 * of everything. A reader that does not read takes one message and pauses: grpc-js then leaves the rest
 * on the connection, which it does not before the first.
 */
export async function openWatches(target: Target, count: number, reading: boolean): Promise<void> {
  let failure: Error | undefined;
  const options = reading ? {} : { "grpc-node.flow_control_window": SLOW_WINDOW };
  let clients = connect(target, options);
  await restock(clients, await listProducts(clients), CRATES_A_PRODUCT);
  for (let opened = 0; opened < count; opened++) {
    if (opened % WATCHES_A_CONNECTION === 0) clients = connect(target, options);
    const call = clients.catalog.watchProducts({ productIds: [] }, clients.metadata);
    call.on("data", () => {
      if (!reading) call.pause();
    });
    call.on("error", (error) => {
      failure = error;
      process.exitCode = 1;
    });
  }
  await wait(500);
  if (failure !== undefined) throw failure;
}
