// Implements the `crowd` command: many customers order, one right after the other.

import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { Metadata } from "@grpc/grpc-js";
import { ExpectedError } from "../../shared/terminal/program.ts";
import { parseAmount } from "../../shared/terminal/values.ts";
import type { Connection } from "../client/connection.ts";
import { unaryCall } from "../client/unary-call.ts";
import { type CreateOrderResponse, OrderServiceClient } from "../gen/bakery/v1/orders.ts";
import { describeFailure, isServiceError } from "./call-failure.ts";

const DEFAULT_COUNT = 100;
const PAUSE_MS = 5;

/**
 * Places `count` orders (0: DEFAULT_COUNT), one every PAUSE_MS, whether the others are answered or
 * not. Prints each outcome with how often it came, and how long the order in the middle took.
 * @throws {ExpectedError} if an order failed.
 */
export async function crowd(connection: Connection, args: string[], { count }: { count: number }) {
  const orders = connection.stub(OrderServiceClient);
  const amounts = args.map(parseAmount);
  const lines = amounts.map(({ name, amount }) => ({ productId: name, quantity: amount }));
  const [outcomes, took] = [new Map<string, number>(), [] as number[]];
  const place = async () => {
    const startedAt = performance.now();
    const outcome = await unaryCall<CreateOrderResponse>((done) => {
      const request = { lines, idempotencyKey: randomUUID() };
      orders.createOrder(request, new Metadata(), connection.callOptions(), done);
    }).then(() => "OK", asOutcome);
    took.push(performance.now() - startedAt);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  };
  const placed: Promise<void>[] = [];
  while (placed.length < (count || DEFAULT_COUNT)) {
    placed.push(place());
    await setTimeout(PAUSE_MS);
  }
  await Promise.all(placed);
  for (const [outcome, times] of outcomes) console.log(`${times} x ${outcome}`);
  const middle = took.sort((a, b) => a - b)[took.length >> 1] ?? 0;
  console.log(`half of them took up to ${Math.round(middle)} ms`);
  const failed = took.length - (outcomes.get("OK") ?? 0);
  if (failed > 0) throw new ExpectedError(`${failed} of ${took.length} orders failed`);
}

function asOutcome(error: unknown): string {
  if (isServiceError(error)) return describeFailure(error);
  throw error;
}
