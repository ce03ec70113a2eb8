// The limit without a gRPC library: the same messages framed by hand on node:http2.

import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { minutesAway } from "../../bakery/courier.ts";
import {
  GetProductRequest,
  GetProductResponse,
  RestockProductsRequest,
  RestockProductsResponse,
  SearchProductsRequest,
  SearchProductsResponse,
  WatchProductsResponse,
} from "../gen/grpc-js/bakery/v1/catalog.ts";
import {
  CreateOrderRequest,
  CreateOrderResponse,
  OrderStatus,
  TrackOrderRequest,
  TrackOrderResponse,
} from "../gen/grpc-js/bakery/v1/orders.ts";
import { catalog, Delivery, orders } from "./bakery.ts";
import { endOnSignal, sayListening, settings } from "./listen.ts";

const PREFIX_BYTES = 5; // one for "compressed", four for the length

interface Codec<Message> {
  encode(message: Message): { finish(): Uint8Array };
}

function send<Message>(stream: ServerHttp2Stream, codec: Codec<Message>, message: Message): void {
  const bytes = codec.encode(message).finish();
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + bytes.length);
  framed[0] = 0;
  framed.writeUInt32BE(bytes.length, 1);
  framed.set(bytes, PREFIX_BYTES);
  stream.write(framed);
}

/** Calls `use` with each message that comes in, and `done` after the last. */
function receive(stream: ServerHttp2Stream, use: (bytes: Buffer) => void, done: () => void): void {
  let rest: Buffer = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (bytes.length - at >= PREFIX_BYTES) {
      const end = at + PREFIX_BYTES + bytes.readUInt32BE(at + 1);
      if (end > bytes.length) break;
      use(bytes.subarray(at + PREFIX_BYTES, end));
      at = end;
    }
    rest = bytes.subarray(at);
  });
  stream.on("end", done);
}

const methods: Readonly<Record<string, (stream: ServerHttp2Stream) => void>> = {
  "/bakery.v1.CatalogService/GetProduct": (stream) => {
    const answer = (bytes: Buffer) => {
      const product = catalog.get(GetProductRequest.decode(bytes).id);
      send(stream, GetProductResponse, { product });
    };
    receive(stream, answer, () => stream.end());
  },
  "/bakery.v1.CatalogService/SearchProducts": (stream) => {
    const answer = (bytes: Buffer) => {
      const products = catalog.search(SearchProductsRequest.decode(bytes).query);
      send(stream, SearchProductsResponse, { products });
    };
    receive(stream, answer, () => stream.end());
  },
  "/bakery.v1.CatalogService/WatchProducts": (stream) => {
    const life = new AbortController();
    stream.on("close", () => life.abort());
    const answer = async () => {
      for await (const level of catalog.watch(catalog.ids(), life.signal)) {
        send(stream, WatchProductsResponse, level);
      }
    };
    receive(stream, answer, () => {});
  },
  "/bakery.v1.CatalogService/RestockProducts": (stream) => {
    const delivery = new Delivery();
    const add = (bytes: Buffer) => {
      const { content } = RestockProductsRequest.decode(bytes);
      if (content?.$case === "crate") delivery.add({ crate: content.value });
      else delivery.add({ noteOfCrates: content?.value.crates ?? 0 });
    };
    receive(stream, add, () => {
      send(stream, RestockProductsResponse, delivery.apply());
      stream.end();
    });
  },
  "/bakery.v1.OrderService/CreateOrder": (stream) => {
    const answer = (bytes: Buffer) => {
      const { order } = orders.create(CreateOrderRequest.decode(bytes).lines);
      if (order === undefined) return stream.close();
      const { lines, status } = order;
      send(stream, CreateOrderResponse, {
        order: { ...order, lines: [...lines], status: OrderStatus[status] },
      });
    };
    receive(stream, answer, () => stream.end());
  },
  "/bakery.v1.OrderService/TrackOrder": (stream) => {
    const answer = (bytes: Buffer) => {
      const { content } = TrackOrderRequest.decode(bytes);
      if (content?.$case === "ping") {
        const minutes = minutesAway(content.value.latitude, content.value.longitude);
        send(stream, TrackOrderResponse, { content: { $case: "eta", value: { minutes } } });
      } else {
        const order = orders.get(content?.value.orderId ?? "");
        if (order === undefined) return stream.close();
        const value = { status: OrderStatus[order.status], at: order.statusSince };
        send(stream, TrackOrderResponse, { content: { $case: "status", value } });
      }
    };
    receive(stream, answer, () => stream.end());
  },
};

endOnSignal();
const server = createServer();
server.on("stream", (stream: ServerHttp2Stream, headers) => {
  const method = methods[String(headers[":path"])];
  if (method === undefined) return stream.close();
  stream.on("error", () => {}); // A client that cancels: "close" follows.
  stream.respond(
    { ":status": 200, "content-type": "application/grpc+proto" },
    { waitForTrailers: true },
  );
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  method(stream);
});
server.listen(settings.port, settings.host, () => {
  sayListening((server.address() as AddressInfo).port);
});
