// Serves the same product over REST: JSON over HTTP/1.1, on fastify.

import type { AddressInfo } from "node:net";
import { fastify } from "fastify";
import { catalog, HOST, PORT, sayListening } from "./bakery.ts";

// With a schema, fastify writes JSON faster than JSON.stringify: this measures REST at its best.
const properties = {
  id: { type: "string" },
  name: { type: "string" },
  description: { type: "string" },
  priceCents: { type: "integer" },
  unitsInStock: { type: "integer" },
};
const schema = { response: { 200: { type: "object", properties } } };

const server = fastify();
server.get<{ Params: { id: string } }>("/products/:id", { schema }, (request, reply) => {
  const product = catalog.get(request.params.id);
  if (product === undefined) reply.code(404).send({ error: "no such product" });
  else reply.send(product);
});
await server.listen({ host: HOST, port: PORT });
sayListening((server.server.address() as AddressInfo).port);
