// The commands that place an order, and track it to the door.

import { randomUUID } from "node:crypto";
import { Metadata } from "@grpc/grpc-js";
import { formatCents } from "../../shared/terminal/output.ts";
import { ExpectedError } from "../../shared/terminal/program.ts";
import { parseAmount } from "../../shared/terminal/values.ts";
import type { Connection } from "../client/connection.ts";
import { unaryCall } from "../client/unary-call.ts";
import {
  type CreateOrderResponse,
  OrderServiceClient,
  OrderStatus,
  type TrackOrderResponse,
} from "../gen/bakery/v1/orders.ts";
import { untilInterrupt } from "./until-interrupt.ts";

interface TrackOptions {
  /** The places that the courier reports, one after each status. */
  readonly ping: readonly string[];
}

/**
 * Places an order.
 * @param args one PRODUCT=QUANTITY for each line.
 * @param options.track tracks the order as soon as it is placed.
 * @param options.idempotency-key the order's key; a new one if it is empty.
 */
export async function order(
  connection: Connection,
  args: string[],
  options: TrackOptions & { track: boolean; "idempotency-key": string },
) {
  const orders = connection.stub(OrderServiceClient);
  const amounts = args.map(parseAmount);
  const lines = amounts.map(({ name, amount }) => ({ productId: name, quantity: amount }));
  // Once for the order: grpc-js sends it with every attempt.
  const idempotencyKey = options["idempotency-key"] || randomUUID();
  const { order } = await unaryCall<CreateOrderResponse>((done) => {
    const request = { lines, idempotencyKey };
    orders.createOrder(request, new Metadata(), connection.callOptions(), done);
  });
  if (order === undefined) throw new ExpectedError("the server answered without an order");
  console.log(`ID: ${order.id}`);
  console.log(`Status: ${statusName(order.status)}`);
  console.log(`Total: ${formatCents(order.totalCents)}`);
  if (options.track) await track(connection, [order.id], options);
}

/**
 * Tracks an order until it is delivered. Answers each status with the next ping, and half-closes
 * when there are no more pings.
 */
export async function track(
  connection: Connection,
  [orderId = ""]: string[],
  { ping }: TrackOptions,
) {
  const orders = connection.stub(OrderServiceClient);
  const call = orders.trackOrder(connection.callOptions());
  call.write({ content: { $case: "start", value: { orderId } } });

  const sendPing = (place: string) => {
    const [latitude = 0, longitude = 0] = place.split(",").map(Number);
    console.log(`[you]    ping ${place}`);
    call.write({ content: { $case: "ping", value: { latitude, longitude } } });
  };
  const halfClose = () => {
    console.log("[you]    half-close: no more pings");
    call.end();
  };
  const places = ping.values();
  const answer = () => {
    const { value: place } = places.next();
    if (place !== undefined) sendPing(place);
    else if (!call.writableEnded) halfClose();
  };

  const left = await untilInterrupt(call, async () => {
    for await (const { content } of call) {
      console.log(`[bakery] ${describe(content)}`);
      if (isUnderWay(content)) answer();
    }
  });
  if (left) console.log("[you]    stopped tracking");
}

/** Returns true for a status that isn't the last. */
function isUnderWay(content: TrackOrderResponse["content"]): boolean {
  return content?.$case === "status" && content.value.status !== OrderStatus.DELIVERED;
}

function describe(content: TrackOrderResponse["content"]): string {
  if (content?.$case === "status") return statusName(content.value.status);
  if (content?.$case === "eta") return `about ${content.value.minutes} minutes away`;
  return "sent something that this client is too old to know";
}

function statusName(orderStatus: string): string {
  return orderStatus.replace("ORDER_STATUS_", "");
}
