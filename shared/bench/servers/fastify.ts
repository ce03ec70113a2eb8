// REST: the same products as JSON over HTTP/1.1, on fastify.

import type { AddressInfo } from "node:net";
import { fastify } from "fastify";
import { catalog } from "./bakery.ts";
import { endOnSignal, sayListening, settings } from "./listen.ts";

// With a schema fastify writes JSON faster than JSON.stringify does: REST at its best.
const product = {
  type: "object",
  properties: {
    id: { type: "string" },
    name: { type: "string" },
    description: { type: "string" },
    priceCents: { type: "integer" },
    unitsInStock: { type: "integer" },
  },
};

const server = fastify();
server.get<{ Params: { id: string } }>(
  "/products/:id",
  { schema: { response: { 200: product } } },
  (request, reply) => {
    const found = catalog.get(request.params.id);
    if (found === undefined) reply.code(404).send({ error: "no such product" });
    else reply.send(found);
  },
);
server.get<{ Querystring: { query?: string } }>(
  "/products",
  { schema: { response: { 200: { type: "array", items: product } } } },
  (request, reply) => {
    reply.send(catalog.search(request.query.query ?? ""));
  },
);

endOnSignal();
await server.listen({ host: settings.host, port: settings.port });
sayListening((server.server.address() as AddressInfo).port);
