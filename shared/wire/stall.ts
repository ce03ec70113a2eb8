// Measures what a client that stops reading costs a server. Start it with the folder of a step, such
// as `npx tsx shared/wire/stall.ts step-02-server-stream`: the server, a process of its own, streams
// 100,000 messages of 1 kB through that step's adapter.

import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import { runProgram, UsageError } from "../terminal/program.ts";

type Contract = typeof import("../../step-02-server-stream/gen/bakery/v1/catalog.ts");
type Adapter = typeof import("../../step-02-server-stream/server/server-stream.ts");

const MESSAGES = 100_000;
const MESSAGE_BYTES = 1000;
const QUIET_MS = 1000;

/** What the server tells the client, from process to process. */
interface Report {
  readonly port: number;
  readonly written: number;
  readonly memoryBytes: number;
}

const folder = resolve(process.argv[2] ?? "");
await runProgram(process.argv[3] === "serve" ? serve : stall);

/** Reads one message, stalls until the server writes no more, and then reads the rest. */
async function stall(): Promise<number> {
  if (!existsSync(join(folder, "server/server-stream.ts"))) {
    throw new UsageError("name a step that streams, such as step-02-server-stream");
  }
  const server = fork(process.argv[1] ?? "", [folder, "serve"]);
  const answer = async (): Promise<Report> => (await once(server, "message"))[0];
  const ask = () => {
    server.send("report");
    return answer();
  };

  const { port, memoryBytes } = await answer();
  const { CatalogServiceClient }: Contract = await load("gen/bakery/v1/catalog.ts");
  const stub = new CatalogServiceClient(`127.0.0.1:${port}`, credentials.createInsecure());
  const call = stub.watchProducts({ productIds: [] });
  let read = 0;
  call.on("data", () => {
    if (++read === 1) call.pause();
  });
  const ended = once(call, "end");
  await once(call, "data");
  console.log(`client: read ${read} of ${count(MESSAGES)} messages, then stopped`);

  let before: Report;
  let now = await ask();
  do {
    await setTimeout(QUIET_MS);
    [before, now] = [now, await ask()];
  } while (now.written > before.written);
  const wrote = now.written < MESSAGES ? `${now.written}, then waited` : "all of them";
  const grownMiB = Math.round((now.memoryBytes - memoryBytes) / 2 ** 20);
  console.log(`server: wrote ${wrote}; memory +${grownMiB} MiB`);

  call.resume();
  await ended;
  console.log(`client: read on, ${count(read)} messages in all`);
  stub.close();
  server.disconnect();
  return 0;
}

/** Streams messages to every caller, and reports on request, until the client's process ends. */
async function serve(): Promise<number> {
  const { CatalogServiceService }: Contract = await load("gen/bakery/v1/catalog.ts");
  const { serverStream }: Adapter = await load("server/server-stream.ts");
  let written = 0;
  async function* flood() {
    for (let number = 1; number <= MESSAGES; number++) {
      await setImmediate(); // Lets this process do other work, as any real source of messages does.
      written++;
      yield { productId: Buffer.alloc(MESSAGE_BYTES, "b").toString(), unitsInStock: number };
    }
  }
  const server = new Server();
  const { watchProducts } = CatalogServiceService;
  server.addService(
    { watchProducts },
    { watchProducts: serverStream(new AbortController().signal, flood) },
  );
  const port = await new Promise<number>((resolve, reject) => {
    const plaintext = ServerCredentials.createInsecure();
    server.bindAsync("127.0.0.1:0", plaintext, (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
  const report = () => process.send?.({ port, written, memoryBytes: process.memoryUsage().rss });
  process.on("message", report);
  process.on("disconnect", () => process.exit());
  report();
  return 0;
}

/** Imports a file of the step. */
function load(file: string) {
  return import(pathToFileURL(join(folder, file)).href);
}

function count(messages: number): string {
  return messages.toLocaleString("en-US");
}
