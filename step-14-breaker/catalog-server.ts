// Assembles the catalog's server and runs it.

import { Catalog } from "../shared/bakery/catalog.ts";
import { Reservations } from "../shared/bakery/reservations.ts";
import { openTill } from "../shared/bakery/till.ts";
import { runProgram } from "../shared/terminal/program.ts";
import { readSettings } from "../shared/terminal/settings.ts";
import { prepareService, serviceVariables } from "./bakery-service.ts";
import { catalogHandlers } from "./catalog/handlers.ts";
import { replicaVariables, runReplica } from "./catalog-replica.ts";
import { CatalogServiceClient } from "./gen/bakery/v1/catalog.ts";

async function main(): Promise<never> {
  const settings = readSettings({
    PORT: { default: 50051, max: 65535, help: "the port to listen on; 0 picks a free one" },
    TILL_MS: { default: 1000, help: "how often the till sells a unit; 0 keeps it shut" },
    HOLD_MS: { default: 10_000, min: 1, help: "how long units wait for their confirmation" },
    SLOW_MS: { default: 0, help: "how long GetProduct and ReserveProducts take" },
    ...replicaVariables,
    ...serviceVariables,
  });
  const server = await prepareService("catalog-server", CatalogServiceClient, settings);
  if (settings.FOLLOW !== "") return runReplica(server, settings);
  const { closing, health } = server;

  const catalog = new Catalog();
  openTill(catalog, settings.TILL_MS, closing);
  const reservations = new Reservations(catalog, settings.HOLD_MS);

  health.setStatus(CatalogServiceClient.serviceName, "SERVING");
  return server.serve(
    catalogHandlers(catalog, reservations, { slowMs: settings.SLOW_MS, closing }),
  );
}

await runProgram(main);
