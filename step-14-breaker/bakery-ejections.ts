// Shows in the log and the metrics which servers this process has ejected.

import { Counter } from "prom-client";
import { ejections } from "./client/ejections.ts";

/** Call it once, before the first channel opens. */
export function showEjections(): void {
  const counter = new Counter({
    name: "bakery_ejections_total",
    help: "Servers that got no calls for a while because theirs failed.",
    labelNames: ["address"],
  });
  ejections.on("ejected", (address) => {
    console.error(`ejected ${address}: most of its calls fail`);
    counter.inc({ address });
  });
  ejections.on("returned", (address) => console.error(`took back ${address}`));
}
