// Assembles the orders' server and runs it. It takes the units of orders from the catalog's server.

import { openKitchen } from "../shared/bakery/kitchen.ts";
import { OrderBook } from "../shared/bakery/orders.ts";
import { runProgram } from "../shared/terminal/program.ts";
import { readSettings } from "../shared/terminal/settings.ts";
import { breakerTo } from "./bakery-breaker.ts";
import { connectToCatalog } from "./bakery-channel.ts";
import { showEjections } from "./bakery-ejections.ts";
import { prepareService, serviceVariables } from "./bakery-service.ts";
import { tokenProblem } from "./client/channel-credentials.ts";
import { registerReplicas, replicasFile } from "./client/replicas.ts";
import { targetProblem } from "./client/target.ts";
import { OrderServiceClient } from "./gen/bakery/v1/orders.ts";
import { orderHandlers } from "./orders/handlers.ts";
import { noKeyNoRetryInterceptor } from "./orders/no-key-no-retry.ts";
import { remoteStock } from "./orders/remote-stock.ts";

async function main(): Promise<never> {
  const settings = readSettings({
    PORT: { default: 50052, max: 65535, help: "the port to listen on; 0 picks a free one" },
    KITCHEN_MS: { default: 1000, help: "how long an order keeps each status; 0 means forever" },
    CATALOG_ADDRESS: {
      default: "127.0.0.1:50051",
      help: "the catalog's server, which must be the leader",
      problem: targetProblem,
    },
    REPLICAS: { default: "", help: "the file behind replicas:NAME; by default replicas.json here" },
    CATALOG_TOKEN: {
      default: "",
      help: "who we are to the catalog: a token with the role service",
      problem: tokenProblem,
    },
    CATALOG_MS: { default: 1000, min: 1, help: "how long a call to the catalog may take" },
    BREAKER_MS: {
      default: 5000,
      help: "how long the catalog isn't called once its calls fail; 0: it always is",
    },
    ...serviceVariables,
    METRICS_PORT: { ...serviceVariables.METRICS_PORT, default: "9465" },
  });
  const server = await prepareService("orders-server", OrderServiceClient, settings);
  const { closing, health, tracing } = server;

  showEjections();
  registerReplicas(settings.REPLICAS || replicasFile);
  const { CATALOG_ADDRESS: target, CATALOG_MS: deadlineMs, BREAKER_MS: openMs } = settings;
  const catalog = connectToCatalog(target, settings, {
    token: settings.CATALOG_TOKEN,
    deadlineMs,
    tracing,
    inner: breakerTo(target, { openMs, patienceMs: deadlineMs / 2 }),
  });
  const stock = remoteStock(catalog);
  stock.whenReached(() => {
    health.setStatus(OrderServiceClient.serviceName, "SERVING");
    console.log(`reached the catalog at ${settings.CATALOG_ADDRESS}`);
  });
  const orders = new OrderBook(stock);
  openKitchen(orders, settings.KITCHEN_MS, closing);

  return server.serve(orderHandlers(orders, { closing }), [noKeyNoRetryInterceptor]);
}

await runProgram(main);
