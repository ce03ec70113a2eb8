// Implements TrackOrder: sends status updates and answers pings, independently of each other.

import { status } from "@grpc/grpc-js";
import { minutesAway } from "../../shared/bakery/courier.ts";
import type { OrderBook } from "../../shared/bakery/orders.ts";
import {
  OrderStatus,
  type TrackOrderRequest,
  type TrackOrderResponse,
} from "../gen/bakery/v1/orders.ts";
import type { BidiContext } from "../server/bidi.ts";
import { invalidArgument, StatusError } from "../server/status-error.ts";

const MAX_SHOWN_CHARACTERS = 64;

type TrackingContext = BidiContext<TrackOrderResponse>;

/** Returns when the order is delivered, whether the client has half-closed by then or not. */
export async function trackOrder(
  orders: Pick<OrderBook, "get" | "track">,
  requests: AsyncIterator<TrackOrderRequest>,
  context: TrackingContext,
): Promise<void> {
  const first = await requests.next();
  const start = first.done ? undefined : first.value.content;
  if (start?.$case !== "start") throw invalidArgument("the first message must be start");
  const { orderId } = start.value;
  const order = orders.get(orderId);
  const { caller } = context;
  // To others it doesn't exist: PERMISSION_DENIED would tell them that it does.
  if (order === undefined || !(caller?.role === "baker" || caller?.userId === order.customerId)) {
    const shown = JSON.stringify(orderId.slice(0, MAX_SHOWN_CHARACTERS));
    throw new StatusError(status.NOT_FOUND, `no order ${shown}`);
  }
  const delivered = sendUpdates(orders, orderId, context);
  const answered = answerPings(requests, context);
  // The call ends when the order is delivered, or when a bad ping makes `answered` reject. When
  // `answered` resolves, the client has half-closed, and we still wait for the delivery.
  await Promise.race([delivered, answered.then(() => delivered)]);
}

async function sendUpdates(
  orders: Pick<OrderBook, "track">,
  orderId: string,
  { send, signal }: TrackingContext,
): Promise<void> {
  for await (const change of orders.track(orderId, signal)) {
    const update = { status: OrderStatus[change.status], at: change.at };
    await send({ content: { $case: "status", value: update } });
  }
}

async function answerPings(
  requests: AsyncIterator<TrackOrderRequest>,
  { send }: TrackingContext,
): Promise<void> {
  // Not `for await`, which takes an iterable: this is an iterator whose first message is taken.
  for (let next = await requests.next(); !next.done; next = await requests.next()) {
    const { content } = next.value;
    if (content?.$case !== "ping") throw invalidArgument("only pings may follow the first message");
    const { latitude, longitude } = content.value;
    if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) {
      throw invalidArgument("latitude must be from -90 to 90, longitude from -180 to 180");
    }
    await send({ content: { $case: "eta", value: { minutes: minutesAway(latitude, longitude) } } });
  }
}
