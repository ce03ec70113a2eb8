// Assembles a replica of the catalog: it follows a leader, and only answers reads.

import { Catalog } from "../shared/bakery/catalog.ts";
import { Reservations } from "../shared/bakery/reservations.ts";
import { connectToCatalog } from "./bakery-channel.ts";
import type { BakeryService, ServiceSettings } from "./bakery-service.ts";
import { Follower } from "./catalog/follower.ts";
import { catalogHandlers } from "./catalog/handlers.ts";
import { levelsAgeInterceptor } from "./catalog/levels-age.ts";
import { readOnly } from "./catalog/read-only.ts";
import { addressProblem } from "./client/connection.ts";
import { CatalogServiceClient } from "./gen/bakery/v1/catalog.ts";

/** The environment variables that make a catalog's server a replica. */
export const replicaVariables = {
  FOLLOW: {
    default: "",
    help: "the leader's address; makes this server a replica",
    problem: (address: string) => (address === "" ? undefined : addressProblem(address)),
  },
  LOST_MS: { default: 5000, help: "how long a replica stays SERVING without its leader" },
} as const;

/** A leader that is frozen ends no stream. It is lost if it answers no ping for this long. */
const KEEPALIVE_MS = 2000;

export async function runReplica(
  { closing, health, serve }: BakeryService,
  settings: ServiceSettings & { FOLLOW: string; LOST_MS: number; SLOW_MS: number },
): Promise<never> {
  const { FOLLOW: leader, LOST_MS: lostMs, SLOW_MS: slowMs } = settings;
  const connection = connectToCatalog(leader, settings, { token: "", keepaliveMs: KEEPALIVE_MS });
  const setServing = (serving: boolean) =>
    health.setStatus(CatalogServiceClient.serviceName, serving ? "SERVING" : "NOT_SERVING");
  const follower = new Follower(connection, { leader, lostMs, setServing });
  const catalog = new Catalog({ now: () => follower.asOf() });

  // round_robin doesn't ask for health: it calls every server that accepts its connection. So this
  // one doesn't listen before it has levels.
  console.log(`waiting for ${leader}`);
  await follower.follow(catalog, closing);
  const handlers = catalogHandlers(catalog, new Reservations(catalog, 0), { slowMs, closing });
  return serve(readOnly(handlers, leader), [levelsAgeInterceptor(follower)]);
}
