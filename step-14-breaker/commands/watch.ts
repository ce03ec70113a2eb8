// Implements the `watch` command.

import { formatCount } from "../../shared/terminal/output.ts";
import type { Connection } from "../client/connection.ts";
import { CatalogServiceClient } from "../gen/bakery/v1/catalog.ts";
import { untilInterrupt } from "./until-interrupt.ts";

/** Prints updates until `count` have arrived (0: no limit) or the user presses Ctrl+C. */
export async function watch(
  connection: Connection,
  productIds: string[],
  { count }: { count: number },
) {
  const catalog = connection.stub(CatalogServiceClient);
  const call = catalog.watchProducts({ productIds }, connection.callOptions());
  let seen = 0;
  await untilInterrupt(call, async (leave) => {
    for await (const { productId, unitsInStock, observedAt } of call) {
      console.log(`${observedAt?.toTimeString().slice(0, 8)}  ${productId}  ${unitsInStock} left`);
      if (++seen === count) leave();
    }
  });
  console.log(`saw ${formatCount(seen, "update")}`);
}
