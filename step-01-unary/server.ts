// Assembles the bakery's server and runs it.

import { Server, ServerCredentials } from "@grpc/grpc-js";
import { Catalog } from "../shared/bakery/catalog.ts";
import { runProgram } from "../shared/terminal/program.ts";
import { readSettings } from "../shared/terminal/settings.ts";
import { catalogHandlers } from "./catalog/handlers.ts";
import { CatalogServiceService } from "./gen/bakery/v1/catalog.ts";
import { closeOnSignal, serve } from "./server/lifecycle.ts";
import { reporting } from "./server/report.ts";

async function main(): Promise<never> {
  const settings = readSettings({
    HOST: { default: "127.0.0.1", help: "the address to listen on" },
    PORT: { default: 50051, max: 65535, help: "the port to listen on; 0 picks a free one" },
    SLOW_MS: { default: 0, help: "how long GetProduct takes to answer" },
  });
  const { closing } = closeOnSignal();

  const catalog = new Catalog();

  const server = new Server();
  server.addService(
    reporting(CatalogServiceService),
    catalogHandlers(catalog, { slowMs: settings.SLOW_MS }),
  );

  const credentials = ServerCredentials.createInsecure(); // plaintext: for this machine only
  return serve(server, { credentials, host: settings.HOST, port: settings.PORT }, closing);
}

await runProgram(main);
