// grpc-js without generated code: @grpc/proto-loader reads the contract (PROTO) as the server starts.

import { once } from "node:events";
import {
  type GrpcObject,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceClientConstructor,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { minutesAway } from "../../bakery/courier.ts";
import { catalog, Delivery, orders } from "./bakery.ts";
import { endOnSignal, sayListening, settings } from "./listen.ts";

// What the loader makes of the contract has no types: these say what the handlers rely on.
interface Upload {
  readonly crate?: { readonly productId: string; readonly units: number };
  readonly deliveryNote?: { readonly crates: number };
}
interface Tracking {
  readonly start?: { readonly orderId: string };
  readonly ping?: { readonly latitude: number; readonly longitude: number };
}
interface NewOrder {
  readonly lines: { readonly productId: string; readonly quantity: number }[];
}

const files = ["bakery/v1/catalog.proto", "bakery/v1/orders.proto"];
const options = {
  includeDirs: [process.env.PROTO ?? ""],
  enums: String,
  defaults: true,
  oneofs: true,
};
const bakery = loadPackageDefinition(loadSync(files, options)).bakery as GrpcObject;

function service(name: string) {
  return ((bakery.v1 as GrpcObject)[name] as ServiceClientConstructor).service;
}

/** A Timestamp, which the loader leaves as seconds and nanoseconds. */
function timestamp(date: Date): { seconds: number; nanos: number } {
  const ms = date.getTime();
  return { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 };
}

const catalogHandlers = {
  getProduct(call: ServerUnaryCall<{ id: string }, object>, done: sendUnaryData<object>) {
    const product = catalog.get(call.request.id);
    if (product === undefined) done({ code: status.NOT_FOUND });
    else done(null, { product });
  },
  searchProducts(call: ServerUnaryCall<{ query: string }, object>, done: sendUnaryData<object>) {
    done(null, { products: catalog.search(call.request.query) });
  },
  async watchProducts(call: ServerWritableStream<object, object>) {
    const life = new AbortController();
    call.once("cancelled", () => life.abort());
    for await (const level of catalog.watch(catalog.ids(), life.signal)) {
      if (call.write({ ...level, observedAt: timestamp(level.observedAt) })) continue;
      await once(call, "drain", { signal: life.signal }).catch(() => {});
    }
    call.end();
  },
  restockProducts(call: ServerReadableStream<Upload, object>, done: sendUnaryData<object>) {
    const delivery = new Delivery();
    call.on("data", ({ crate, deliveryNote }: Upload) => {
      if (crate) delivery.add({ crate });
      else delivery.add({ noteOfCrates: deliveryNote?.crates ?? 0 });
    });
    call.on("end", () => done(null, delivery.apply()));
  },
};

const orderHandlers = {
  createOrder(call: ServerUnaryCall<NewOrder, object>, done: sendUnaryData<object>) {
    const { order } = orders.create(call.request.lines);
    if (order === undefined) return done({ code: status.FAILED_PRECONDITION });
    const createdAt = timestamp(order.createdAt);
    done(null, { order: { ...order, status: `ORDER_STATUS_${order.status}`, createdAt } });
  },
  trackOrder(call: ServerDuplexStream<Tracking, object>) {
    call.on("data", ({ start, ping }: Tracking) => {
      if (ping) {
        call.write({ eta: { minutes: minutesAway(ping.latitude, ping.longitude) } });
      } else {
        const order = orders.get(start?.orderId ?? "");
        if (order === undefined) return call.emit("error", { code: status.NOT_FOUND });
        const at = timestamp(order.statusSince);
        call.write({ status: { status: `ORDER_STATUS_${order.status}`, at } });
      }
    });
    call.on("end", () => call.end());
  },
};

endOnSignal();
const server = new Server();
server.addService(service("CatalogService"), catalogHandlers);
server.addService(service("OrderService"), orderHandlers);
const address = `${settings.host}:${settings.port}`;
server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  sayListening(port);
});
