// Runs the bakery's command line, which has one subcommand for each RPC.

import { parseCommandLine } from "../shared/terminal/command-line.ts";
import { runProgram } from "../shared/terminal/program.ts";
import { readSettings } from "../shared/terminal/settings.ts";
import { placeProblem } from "../shared/terminal/values.ts";
import { showEjections } from "./bakery-ejections.ts";
import { bakeryRetries } from "./bakery-retries.ts";
import { channelSecurity, tokenProblem } from "./client/channel-credentials.ts";
import { connect } from "./client/connection.ts";
import { registerReplicas, replicasFile } from "./client/replicas.ts";
import { isServiceError, reportFailure } from "./commands/call-failure.ts";
import { get, search } from "./commands/catalog.ts";
import { crowd } from "./commands/crowd.ts";
import { health } from "./commands/health.ts";
import { oldLevelsInterceptor } from "./commands/old-levels.ts";
import { order, track } from "./commands/orders.ts";
import { poll } from "./commands/poll.ts";
import { restock } from "./commands/restock.ts";
import { targetOf, targetOptions } from "./commands/targets.ts";
import { watch } from "./commands/watch.ts";
import { certsFolder } from "./security/certificate-store.ts";
import { traced } from "./tracing/traced.ts";
import { startTracing } from "./tracing/tracing.ts";
import { tracingVariables } from "./tracing/variables.ts";

async function main(): Promise<number> {
  const { command, args, options } = parseCommandLine(
    {
      get: { args: "ID", help: "show a product", run: get },
      search: { args: "[WORD...]", help: "list the products that match every word", run: search },
      poll: { args: "ID", help: "ask for a product again and again; show who answers", run: poll },
      watch: { args: "[ID...]", help: "print stock levels as they change", run: watch },
      restock: { args: "PRODUCT=UNITS...", help: "bring a delivery", run: restock },
      order: { args: "PRODUCT=QUANTITY...", help: "place an order", run: order },
      crowd: { args: "PRODUCT=QUANTITY...", help: "place an order many times", run: crowd },
      track: { args: "ORDER", help: "track an order until it is delivered", run: track },
      health: { args: "[SERVICE]", help: "is it serving? exits with 1 if not", run: health },
    },
    {
      ...targetOptions,
      "deadline-ms": {
        value: "MS",
        help: "how long a call may take; 2000 by default for a unary call",
        default: 0,
        min: 1,
      },
      token: {
        value: "TOKEN",
        help: "who you are; BAKERY_TOKEN sets it too",
        default: process.env.BAKERY_TOKEN ?? "",
        secret: true,
        problem: tokenProblem,
      },
      ca: {
        value: "FILE",
        help: "the certificate of the CA to trust; BAKERY_CA sets it too",
        default: process.env.BAKERY_CA || `${certsFolder}/ca.pem`,
      },
      cert: { value: "FILE", help: "your own certificate, for a server that asks", default: "" },
      key: { value: "FILE", help: "the private key of your certificate", default: "" },
      plaintext: { help: "connect without TLS, to a server that has none", default: false },
      "no-ejection": { help: "go on calling a server whose calls fail", default: false },
      verbose: { help: "print how long each call took", default: false },
      watch: { help: "health: print every change, until Ctrl+C", default: false },
      count: {
        value: "N",
        help: "watch, poll: stop after N; crowd: how many orders, 100 by default",
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
      "idempotency-key": {
        value: "KEY",
        help: "order: the same key gives the same order; by default a new one",
        default: "",
      },
      ping: {
        value: "LAT,LNG",
        help: "track: a place that the courier reports after a status; may be repeated",
        default: [] as string[],
        problem: placeProblem,
      },
    },
  );

  const variables = readSettings(tracingVariables, []);
  const { tracing, flush } = await startTracing("bakery-client", variables);
  showEjections();
  registerReplicas(process.env.REPLICAS || replicasFile);
  const address = targetOf(command.run, args, options);
  const connection = connect(address, {
    deadlineMs: options["deadline-ms"],
    verbose: options.verbose,
    security: channelSecurity(options, address),
    tracing,
    policy: options.policy,
    ejects: !options["no-ejection"],
    serviceConfig: bakeryRetries,
    inner: [oldLevelsInterceptor],
  });
  try {
    await traced(`client ${command.run.name}`, () => command.run(connection, args, options));
    return 0;
  } catch (error) {
    if (isServiceError(error)) return reportFailure(error);
    throw error;
  } finally {
    connection.close();
    await flush();
  }
}

await runProgram(main);
