// Implements the `poll` command, which shows who answers.

import { setTimeout } from "node:timers/promises";
import { type ClientUnaryCall, Metadata } from "@grpc/grpc-js";
import { formatColumns, formatCount } from "../../shared/terminal/output.ts";
import { ExpectedError } from "../../shared/terminal/program.ts";
import type { Connection } from "../client/connection.ts";
import { unaryCall } from "../client/unary-call.ts";
import { CatalogServiceClient, type GetProductResponse } from "../gen/bakery/v1/catalog.ts";
import { describeFailure, isServiceError } from "./call-failure.ts";

const PAUSE_MS = 50;

/**
 * Asks for a product `count` times (0: no limit) or until Ctrl+C. Prints who answered each call,
 * and then how many calls each server has answered.
 * @throws {ExpectedError} if a call failed.
 */
export async function poll(
  connection: Connection,
  [id = ""]: string[],
  { count }: { count: number },
) {
  const catalog = connection.stub(CatalogServiceClient);
  const answers = new Map<string, number>();
  let [made, failed, left] = [0, 0, false];
  process.once("SIGINT", () => {
    left = true;
  });
  while (!left && (count === 0 || made < count)) {
    made++;
    try {
      const { peer, units } = await ask(catalog, id, connection);
      answers.set(peer, (answers.get(peer) ?? 0) + 1);
      console.log(`${peer}  ${units} left`);
    } catch (error) {
      if (!isServiceError(error)) throw error;
      failed++;
      console.log(describeFailure(error));
    }
    await setTimeout(PAUSE_MS);
  }
  const rows = [...answers].sort().map(([peer, times]) => [peer, formatCount(times, "call")]);
  console.log(formatColumns([...rows, ["failed", formatCount(failed, "call")]]));
  if (failed > 0) throw new ExpectedError(`${failed} of ${made} calls failed`);
}

async function ask(catalog: CatalogServiceClient, id: string, connection: Connection) {
  let call: ClientUnaryCall | undefined;
  const { product } = await unaryCall<GetProductResponse>((done) => {
    call = catalog.getProduct({ id }, new Metadata(), connection.callOptions(), done);
  });
  return { peer: call?.getPeer() ?? "", units: product?.unitsInStock };
}
