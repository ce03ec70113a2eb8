// The commands that order, and track an order to the door.

import { Metadata } from "@grpc/grpc-js";
import { formatCents } from "../../shared/terminal/output.ts";
import { ExpectedError } from "../../shared/terminal/program.ts";
import { parseAmount } from "../../shared/terminal/values.ts";
import type { Connection } from "../client/connection.ts";
import { unaryCall } from "../client/unary-call.ts";
import {
  type CreateOrderResponse,
  OrderServiceClient,
  type TrackOrderResponse,
} from "../gen/bakery/v1/orders.ts";
import { untilInterrupt } from "./until-interrupt.ts";

/** @param args one PRODUCT=QUANTITY for each line. */
export async function order(connection: Connection, args: string[]) {
  const orders = connection.stub(OrderServiceClient);
  const amounts = args.map(parseAmount);
  const lines = amounts.map(({ name, amount }) => ({ productId: name, quantity: amount }));
  const { order } = await unaryCall<CreateOrderResponse>((done) =>
    orders.createOrder({ lines }, new Metadata(), connection.callOptions(), done),
  );
  if (order === undefined) throw new ExpectedError("the server answered without an order");
  console.log(`ID: ${order.id}`);
  console.log(`Status: ${statusName(order.status)}`);
  console.log(`Total: ${formatCents(order.totalCents)}`);
}

/** Sends the pings, closes our side, and prints what comes until the order is delivered. */
export async function track(
  connection: Connection,
  [orderId = ""]: string[],
  { ping }: { ping: readonly string[] },
) {
  const orders = connection.stub(OrderServiceClient);
  const call = orders.trackOrder(connection.callOptions());
  call.write({ content: { $case: "start", value: { orderId } } });
  for (const place of ping) {
    const [latitude = 0, longitude = 0] = place.split(",").map(Number);
    console.log(`[you]    ping ${place}`);
    call.write({ content: { $case: "ping", value: { latitude, longitude } } });
  }
  call.end(); // Half-close: no more pings. The updates go on.
  const left = await untilInterrupt(call, async () => {
    for await (const response of call) console.log(`[bakery] ${describe(response)}`);
  });
  if (left) console.log("[you]    stopped tracking");
}

function describe({ content }: TrackOrderResponse): string {
  if (content?.$case === "status") return statusName(content.value.status);
  if (content?.$case === "eta") return `about ${content.value.minutes} minutes away`;
  return "sent something that this client is too old to know";
}

function statusName(orderStatus: string): string {
  return orderStatus.replace("ORDER_STATUS_", "");
}
