// Many watches that stay open, for what they cost the server in memory.

import { setTimeout as wait } from "node:timers/promises";
import type { Target } from "../jobs.ts";
import { listProducts, restock } from "./calls.ts";
import { connect } from "./clients.ts";

const WATCHES_A_CONNECTION = 100;
const CRATES_A_PRODUCT = 100;

/**
 * Fills the shelf, so that the till has something to sell for a long time, and opens `count` watches
 * of everything. Where nobody is reading, grpc-js takes no message from the connection.
 */
export async function openWatches(target: Target, count: number, reading: boolean): Promise<void> {
  let failure: Error | undefined;
  let clients = connect(target);
  await restock(clients, await listProducts(clients), CRATES_A_PRODUCT);
  for (let opened = 0; opened < count; opened++) {
    if (opened % WATCHES_A_CONNECTION === 0) clients = connect(target);
    const call = clients.catalog.watchProducts({ productIds: [] }, clients.metadata);
    if (reading) call.on("data", () => {});
    call.on("error", (error) => {
      failure = error;
      process.exitCode = 1;
    });
  }
  await wait(500);
  if (failure !== undefined) throw failure;
}
