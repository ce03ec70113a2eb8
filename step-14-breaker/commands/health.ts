// Checks the server's health: a command for people, and a probe for machines.

import { Metadata } from "@grpc/grpc-js";
import { ExpectedError } from "../../shared/terminal/program.ts";
import type { Connection } from "../client/connection.ts";
import { unaryCall } from "../client/unary-call.ts";
import { type HealthCheckResponse, HealthClient } from "../gen/grpc/health/v1/health.ts";
import { describeFailure, isServiceError } from "./call-failure.ts";
import { untilInterrupt } from "./until-interrupt.ts";

/**
 * Prints the status of a service, or of the whole server if none is named. With `watch`, prints
 * every change until Ctrl+C.
 * @throws {ExpectedError} for exit code 1, unless the last status is SERVING.
 */
export async function health(
  connection: Connection,
  [service = ""]: string[],
  { watch }: { watch: boolean },
) {
  const ask = watch ? watchStatus : checkStatus;
  const status = await ask(connection, service).catch((error: unknown) => {
    // A probe needs one exit code for every cause.
    throw isServiceError(error) ? new ExpectedError(describeFailure(error)) : error;
  });
  if (status !== "SERVING") throw new ExpectedError(`${service || "the server"} is not serving`);
}

async function checkStatus(connection: Connection, service: string): Promise<string> {
  const stub = connection.stub(HealthClient);
  const { status } = await unaryCall<HealthCheckResponse>((done) =>
    stub.check({ service }, new Metadata(), connection.callOptions(), done),
  );
  console.log(status);
  return status;
}

/** Resolves with the last status. */
async function watchStatus(connection: Connection, service: string): Promise<string> {
  const call = connection.stub(HealthClient).watch({ service }, connection.callOptions());
  let last = "";
  await untilInterrupt(call, async () => {
    for await (const { status } of call) {
      console.log(`${new Date().toTimeString().slice(0, 8)}  ${status}`);
      last = status;
    }
  });
  return last;
}
