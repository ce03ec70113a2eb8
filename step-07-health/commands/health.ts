// The command that asks whether the server is well: for people, and as a probe for machines.

import { Metadata } from "@grpc/grpc-js";
import type { Connection } from "../client/connection.ts";
import { unaryCall } from "../client/unary-call.ts";
import type { HealthCheckResponse } from "../gen/grpc/health/v1/health.ts";
import { describeFailure, isServiceError } from "./call-failure.ts";
import { untilInterrupt } from "./until-interrupt.ts";

/**
 * Prints the status of a service, of the whole server if none is named; with `watch` also every
 * change, until Ctrl+C.
 * @throws {Error} for exit code 1, unless the (last) status is SERVING.
 */
export async function health(
  connection: Connection,
  [service = ""]: string[],
  { watch }: { watch: boolean },
) {
  const ask = watch ? watchStatus : checkStatus;
  const status = await ask(connection, service).catch((error: unknown) => {
    // For a probe one kind of "no" is enough.
    throw isServiceError(error) ? new Error(describeFailure(error)) : error;
  });
  if (status !== "SERVING") throw new Error(`${service || "the server"} is not serving`);
}

async function checkStatus({ health, unaryOptions }: Connection, service: string): Promise<string> {
  const { status } = await unaryCall<HealthCheckResponse>((done) =>
    health.check({ service }, new Metadata(), unaryOptions(), done),
  );
  console.log(status);
  return status;
}

/** Gives the last status. */
async function watchStatus(
  { health, streamOptions }: Connection,
  service: string,
): Promise<string> {
  const call = health.watch({ service }, streamOptions());
  let last = "";
  await untilInterrupt(call, async () => {
    for await (const { status } of call) {
      console.log(`${new Date().toTimeString().slice(0, 8)}  ${status}`);
      last = status;
    }
  });
  return last;
}
