// Runs the bakery's command line, which has one subcommand for each RPC.

import { parseCommandLine } from "../shared/terminal/command-line.ts";
import { runProgram } from "../shared/terminal/program.ts";
import { placeProblem } from "../shared/terminal/values.ts";
import { addressProblem, connect } from "./client/connection.ts";
import { isServiceError, reportFailure } from "./commands/call-failure.ts";
import { get, search } from "./commands/catalog.ts";
import { order, track } from "./commands/orders.ts";
import { restock } from "./commands/restock.ts";
import { watch } from "./commands/watch.ts";

async function main(): Promise<number> {
  const { command, args, options } = parseCommandLine(
    {
      get: { args: "ID", help: "show a product", run: get },
      search: { args: "[WORD...]", help: "list the products that match every word", run: search },
      watch: { args: "[ID...]", help: "print stock levels as they change", run: watch },
      restock: { args: "PRODUCT=UNITS...", help: "bring a delivery", run: restock },
      order: { args: "PRODUCT=QUANTITY...", help: "place an order", run: order },
      track: { args: "ORDER", help: "track an order until it is delivered", run: track },
    },
    {
      address: {
        value: "HOST:PORT",
        help: "the server to dial",
        default: process.env.BAKERY_ADDRESS || "127.0.0.1:50051",
        problem: addressProblem,
      },
      "deadline-ms": {
        value: "MS",
        help: "how long a call may take; 2000 by default for a unary call",
        default: 0,
        min: 1,
      },
      verbose: { help: "print how long each call took", default: false },
      count: {
        value: "N",
        help: "watch: stop after N updates",
        default: 0,
        min: 1,
      },
      "cancel-after": {
        value: "N",
        help: "restock: cancel after N crates, before the delivery note",
        default: 0,
        min: 1,
      },
      track: { help: "order: track the new order", default: false },
      ping: {
        value: "LAT,LNG",
        help: "track: a place that the courier reports after a status; may be repeated",
        default: [] as string[],
        problem: placeProblem,
      },
    },
  );

  const connection = connect(options.address, {
    deadlineMs: options["deadline-ms"],
    verbose: options.verbose,
  });
  try {
    await command.run(connection, args, options);
    return 0;
  } catch (error) {
    if (isServiceError(error)) return reportFailure(error);
    throw error;
  } finally {
    connection.close();
  }
}

await runProgram(main);
