// How the load generator speaks to a server: the generated client for gRPC, node:http for REST.

import { readFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { type ChannelOptions, credentials, Metadata } from "@grpc/grpc-js";
import { CatalogServiceClient } from "../gen/grpc-js/bakery/v1/catalog.ts";
import { OrderServiceClient } from "../gen/grpc-js/bakery/v1/orders.ts";
import type { Target } from "../jobs.ts";

/** How many calls are under way at any moment. */
export const IN_FLIGHT = 64;

export interface Clients {
  readonly catalog: CatalogServiceClient;
  readonly orders: OrderServiceClient;
  /** Goes with every call. */
  readonly metadata: Metadata;
  /** REST: the body of the answer to a GET; undefined for a gRPC server. */
  readonly fetchJson: ((path: string) => Promise<unknown>) | undefined;
  close(): void;
}

/** Both stubs on one connection of their own. For REST as many kept-alive connections as calls. */
export function connect(
  { address, protocol, caFile, token }: Target,
  more: ChannelOptions = {},
): Clients {
  const secure = caFile === undefined;
  const channel = secure
    ? credentials.createInsecure()
    : credentials.createSsl(readFileSync(caFile));
  const options: ChannelOptions = { "grpc.use_local_subchannel_pool": 1, ...more };
  const catalog = new CatalogServiceClient(address, channel, options);
  const orders = new OrderServiceClient(address, channel, {
    channelOverride: catalog.getChannel(),
  });
  const metadata = new Metadata();
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
  return {
    catalog,
    orders,
    metadata,
    fetchJson: protocol === "rest" ? (path) => getJson(agent, address, path) : undefined,
    close() {
      catalog.close();
      agent.destroy();
    },
  };
}

function getJson(agent: Agent, address: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = get(`http://${address}${path}`, { agent }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => {
        if (response.statusCode === 200) resolve(JSON.parse(body));
        else reject(new Error(`GET ${path}: status ${response.statusCode}`));
      });
    });
    request.on("error", reject);
  });
}
