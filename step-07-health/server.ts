// Assembles the bakery's server and runs it.

import { join } from "node:path";
import { Server, status } from "@grpc/grpc-js";
import { Catalog } from "../shared/bakery/catalog.ts";
import { openKitchen } from "../shared/bakery/kitchen.ts";
import { OrderBook } from "../shared/bakery/orders.ts";
import { shelfOf } from "../shared/bakery/stock.ts";
import { openTill } from "../shared/bakery/till.ts";
import { runProgram } from "../shared/terminal/program.ts";
import { readSettings } from "../shared/terminal/settings.ts";
import { oneOf } from "../shared/terminal/values.ts";
import { bakeryHealth } from "./bakery-health.ts";
import { catalogHandlers } from "./catalog/handlers.ts";
import { CatalogServiceService } from "./gen/bakery/v1/catalog.ts";
import { OrderServiceService } from "./gen/bakery/v1/orders.ts";
import { orderHandlers } from "./orders/handlers.ts";
import { keysFolder, readPublicKey } from "./security/keys.ts";
import { tokenVerifier } from "./security/verify-token.ts";
import { authInterceptor } from "./server/interceptors/auth.ts";
import { closingInterceptor } from "./server/interceptors/closing.ts";
import { hardened } from "./server/interceptors/hardened.ts";
import { loggingInterceptor } from "./server/interceptors/logging.ts";
import { oneAtATimeInterceptor } from "./server/interceptors/one-at-a-time.ts";
import { requestIdInterceptor } from "./server/interceptors/request-id.ts";
import { unaryDeadlineInterceptor } from "./server/interceptors/unary-deadline.ts";
import { closeOnSignal, serve } from "./server/lifecycle.ts";
import { limitVariables, serverLimits } from "./server/limits.ts";
import { serverReflection } from "./server/reflection.ts";
import { reporting } from "./server/report.ts";
import { StatusError } from "./server/status-error.ts";
import { tlsCredentials, tlsSettings, tlsVariables } from "./server/tls.ts";

/** The proto files in binary form, for reflection: buf writes them beside the generated code. */
const descriptors = join(import.meta.dirname, "gen", "descriptors.binpb");

async function main(): Promise<never> {
  const settings = readSettings({
    HOST: { default: "127.0.0.1", help: "the address to listen on" },
    PORT: { default: 50051, max: 65535, help: "the port to listen on; 0 picks a free one" },
    TILL_MS: { default: 1000, help: "how often the till sells a unit; 0 keeps it shut" },
    KITCHEN_MS: { default: 1000, help: "how long an order keeps each status; 0 means forever" },
    KEYS: { default: "", help: "folder of the key pair; by default keys in this step's folder" },
    ...tlsVariables,
    WARMUP_MS: { default: 0, help: "how long OrderService is NOT_SERVING: the oven is cold" },
    DRAIN_MS: { default: 0, help: "how long the server drains after Ctrl+C" },
    REFLECTION: { default: "on", help: "off: hide the contract", problem: oneOf("on", "off") },
    ...limitVariables,
    SLOW_MS: { default: 0, help: "how long GetProduct takes to answer" },
  });
  const reason = new StatusError(status.UNAVAILABLE, "the bakery is closing");
  const { draining, closing } = closeOnSignal({ reason, drainMs: settings.DRAIN_MS });

  const catalog = new Catalog();
  openTill(catalog, settings.TILL_MS, closing);
  const orders = new OrderBook(shelfOf(catalog));
  openKitchen(orders, settings.KITCHEN_MS, closing);

  const publicKey = await readPublicKey(settings.KEYS || keysFolder);
  const auth = authInterceptor(await tokenVerifier(publicKey));
  const deadline = unaryDeadlineInterceptor(60_000);
  const ours = (path: string) => path.startsWith("/bakery.");
  const ending = closingInterceptor({ closing, endsByItself: ours });
  const health = bakeryHealth(draining, settings.WARMUP_MS);
  const calls = [hardened(loggingInterceptor), requestIdInterceptor, deadline, auth]; // outside in
  const interceptors = [...calls, ending, oneAtATimeInterceptor(ours), health.interceptor];
  const server = new Server({ interceptors, ...serverLimits(settings) });
  server.addService(
    reporting(CatalogServiceService),
    catalogHandlers(catalog, { slowMs: settings.SLOW_MS, closing }),
  );
  server.addService(reporting(OrderServiceService), orderHandlers(catalog, orders, { closing }));
  health.addToServer(server);
  if (settings.REFLECTION === "on") serverReflection(descriptors).addToServer(server);

  const credentials = await tlsCredentials(tlsSettings(settings));
  return serve(server, { credentials, host: settings.HOST, port: settings.PORT }, closing);
}

await runProgram(main);
