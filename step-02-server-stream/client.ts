// Runs the bakery's command line, which has one subcommand for each RPC.

import { parseCommandLine } from "../shared/terminal/command-line.ts";
import { runProgram } from "../shared/terminal/program.ts";
import { addressProblem, connect } from "./client/connection.ts";
import { isServiceError, reportFailure } from "./commands/call-failure.ts";
import { get, search } from "./commands/catalog.ts";
import { watch } from "./commands/watch.ts";

async function main(): Promise<number> {
  const { command, args, options } = parseCommandLine(
    {
      get: { args: "ID", help: "show a product", run: get },
      search: { args: "[WORD...]", help: "list the products that match every word", run: search },
      watch: { args: "[ID...]", help: "print stock levels as they change", run: watch },
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
      count: {
        value: "N",
        help: "watch: stop after N updates",
        default: 0,
        min: 1,
      },
    },
  );

  const connection = connect(options.address, { deadlineMs: options["deadline-ms"] });
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
