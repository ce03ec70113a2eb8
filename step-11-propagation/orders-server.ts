// Assembles the orders' server and runs it. It takes the units of orders from the catalog's server.

import { openKitchen } from "../shared/bakery/kitchen.ts";
import { OrderBook } from "../shared/bakery/orders.ts";
import { runProgram } from "../shared/terminal/program.ts";
import { readSettings } from "../shared/terminal/settings.ts";
import { madeCalls } from "./bakery-metrics.ts";
import { prepareService, serviceVariables } from "./bakery-service.ts";
import { channelSecurity, tokenProblem } from "./client/channel-credentials.ts";
import { addressProblem, connect } from "./client/connection.ts";
import { CatalogServiceService } from "./gen/bakery/v1/catalog.ts";
import { OrderServiceClient } from "./gen/bakery/v1/orders.ts";
import { orderHandlers } from "./orders/handlers.ts";
import { remoteStock } from "./orders/remote-stock.ts";
import { certsFolder } from "./security/certificate-store.ts";

async function main(): Promise<never> {
  const settings = readSettings({
    PORT: { default: 50052, max: 65535, help: "the port to listen on; 0 picks a free one" },
    KITCHEN_MS: { default: 1000, help: "how long an order keeps each status; 0 means forever" },
    CATALOG_ADDRESS: {
      default: "127.0.0.1:50051",
      help: "the catalog's server",
      problem: addressProblem,
    },
    CATALOG_TOKEN: {
      default: "",
      help: "who we are to the catalog: a token with the role service",
      problem: tokenProblem,
    },
    CATALOG_MS: { default: 1000, min: 1, help: "how long a call to the catalog may take" },
    ...serviceVariables,
    METRICS_PORT: { ...serviceVariables.METRICS_PORT, default: "9465" },
  });
  const server = await prepareService("orders-server", OrderServiceClient, settings);
  const { closing, health, tracing } = server;

  const certs = settings.CERTS || certsFolder;
  const own = settings.MTLS === 1 ? `${certs}/client` : undefined;
  const catalog = connect(settings.CATALOG_ADDRESS, {
    deadlineMs: settings.CATALOG_MS,
    verbose: false,
    security: channelSecurity(
      {
        ca: `${certs}/ca.pem`,
        cert: own === undefined ? "" : `${own}.pem`,
        key: own === undefined ? "" : `${own}-key.pem`,
        plaintext: false,
        token: settings.CATALOG_TOKEN,
      },
      settings.CATALOG_ADDRESS,
    ),
    metrics: madeCalls(CatalogServiceService),
    tracing,
  });
  const stock = remoteStock(catalog);
  stock.whenReached(() => {
    health.setStatus(OrderServiceClient.serviceName, "SERVING");
    console.log(`reached the catalog at ${settings.CATALOG_ADDRESS}`);
  });
  const orders = new OrderBook(stock);
  openKitchen(orders, settings.KITCHEN_MS, closing);

  return server.serve(orderHandlers(orders, { closing }));
}

await runProgram(main);
