// Decides which servers a command dials.

import { policyProblem } from "../client/balancing.ts";
import { addressProblem } from "../client/connection.ts";
import { readReplicas, replicasFile } from "../client/replicas.ts";
import { targetProblem } from "../client/target.ts";
import { OrderServiceClient } from "../gen/bakery/v1/orders.ts";
import { get, search } from "./catalog.ts";
import { crowd } from "./crowd.ts";
import { order, track } from "./orders.ts";
import { poll } from "./poll.ts";
import { watch } from "./watch.ts";

export const targetOptions = {
  address: {
    value: "TARGET",
    help: "the catalog's servers; by default replicas:catalog to read, its first for the rest",
    default: process.env.BAKERY_ADDRESS ?? "",
    problem: (target: string) => (target === "" ? undefined : targetProblem(target)),
  },
  "orders-address": {
    value: "HOST:PORT",
    help: "the orders' server, for order, track and their health",
    default: process.env.ORDERS_ADDRESS || "127.0.0.1:50052",
    problem: addressProblem,
  },
  policy: {
    value: "NAME",
    help: "how to choose among several servers",
    default: "round_robin",
    problem: policyProblem,
  },
} as const;

/**
 * Returns the target of a command. Each command calls one service. All servers of the catalog
 * answer reads. Only the leader takes changes; it is the first in the list.
 * @param run the command's function.
 * @throws {ExpectedError} if the list is needed and can't be read.
 */
export function targetOf(
  run: unknown,
  [service]: readonly string[],
  options: { readonly address: string; readonly "orders-address": string },
): string {
  const isOneOf = (commands: readonly unknown[]) => commands.includes(run);
  const forOrders = isOneOf([order, crowd, track]) || service === OrderServiceClient.serviceName;
  if (forOrders) return options["orders-address"];
  if (options.address !== "") return options.address;
  if (isOneOf([get, search, poll, watch])) return "replicas:catalog";
  const [leader = ""] = readReplicas(process.env.REPLICAS || replicasFile, "catalog");
  return leader;
}
