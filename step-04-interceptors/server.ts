// Assembles the bakery's server and runs it.

import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import { Catalog } from "../shared/bakery/catalog.ts";
import { openKitchen } from "../shared/bakery/kitchen.ts";
import { OrderBook } from "../shared/bakery/orders.ts";
import { shelfOf } from "../shared/bakery/stock.ts";
import { openTill } from "../shared/bakery/till.ts";
import { runProgram } from "../shared/terminal/program.ts";
import { readSettings } from "../shared/terminal/settings.ts";
import { catalogHandlers } from "./catalog/handlers.ts";
import { CatalogServiceService } from "./gen/bakery/v1/catalog.ts";
import { OrderServiceService } from "./gen/bakery/v1/orders.ts";
import { orderHandlers } from "./orders/handlers.ts";
import { loggingInterceptor } from "./server/interceptors/logging.ts";
import { requestIdInterceptor } from "./server/interceptors/request-id.ts";
import { unaryDeadlineInterceptor } from "./server/interceptors/unary-deadline.ts";
import { closeOnSignal, serve } from "./server/lifecycle.ts";
import { limitVariables, serverLimits } from "./server/limits.ts";
import { reporting } from "./server/report.ts";
import { StatusError } from "./server/status-error.ts";

async function main(): Promise<never> {
  const settings = readSettings({
    HOST: { default: "127.0.0.1", help: "the address to listen on" },
    PORT: { default: 50051, max: 65535, help: "the port to listen on; 0 picks a free one" },
    TILL_MS: { default: 1000, help: "how often the till sells a unit; 0 keeps it shut" },
    KITCHEN_MS: { default: 1000, help: "how long an order keeps each status; 0 means forever" },
    ...limitVariables,
    SLOW_MS: { default: 0, help: "how long GetProduct takes to answer" },
  });
  const { closing } = closeOnSignal(new StatusError(status.UNAVAILABLE, "the bakery is closing"));

  const catalog = new Catalog();
  openTill(catalog, settings.TILL_MS, closing);
  const orders = new OrderBook(shelfOf(catalog));
  openKitchen(orders, settings.KITCHEN_MS, closing);

  const deadline = unaryDeadlineInterceptor(60_000);
  const interceptors = [loggingInterceptor, requestIdInterceptor, deadline]; // from outside in
  const server = new Server({ interceptors, ...serverLimits(settings) });
  server.addService(
    reporting(CatalogServiceService),
    catalogHandlers(catalog, { slowMs: settings.SLOW_MS, closing }),
  );
  server.addService(reporting(OrderServiceService), orderHandlers(catalog, orders, { closing }));

  const credentials = ServerCredentials.createInsecure(); // plaintext: for this machine only
  return serve(server, { credentials, host: settings.HOST, port: settings.PORT }, closing);
}

await runProgram(main);
