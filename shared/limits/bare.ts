// Starts bare grpc-js servers and clients, without anything of the course's, to see what they do.

import { spawn } from "node:child_process";
import { join } from "node:path";
import {
  type CallOptions,
  type ChannelOptions,
  type Client,
  credentials,
  Metadata,
  makeGenericClientConstructor,
  Server,
  type ServerOptions,
  type ServiceDefinition,
  type ServiceError,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { listenHere } from "../testing/servers.ts";

const text = {
  requestSerialize: (value: string) => Buffer.from(value),
  requestDeserialize: (bytes: Buffer) => bytes.toString(),
  responseSerialize: (value: string) => Buffer.from(value),
  responseDeserialize: (bytes: Buffer) => bytes.toString(),
};

/** A service whose messages are texts: a method of each kind. */
export const echoService = {
  unary: { path: "/bare.Echo/Unary", requestStream: false, responseStream: false, ...text },
  upload: { path: "/bare.Echo/Upload", requestStream: true, responseStream: false, ...text },
  feed: { path: "/bare.Echo/Feed", requestStream: false, responseStream: true, ...text },
} satisfies ServiceDefinition;

/** A server on a free port. `using` stops it. */
export interface BareServer extends Disposable {
  readonly server: Server;
  /** HOST:PORT */
  readonly address: string;
}

export async function serve(
  handlers: UntypedServiceImplementation,
  options: ServerOptions = {},
  service: ServiceDefinition = echoService,
): Promise<BareServer> {
  const server = new Server(options);
  server.addService(service, handlers);
  const address = await listenHere(server);
  return { server, address, [Symbol.dispose]: () => server.forceShutdown() };
}

/** Returns a client. `using` closes it. */
export function dial(target: string, options: ChannelOptions = {}): Client & Disposable {
  const Stub = makeGenericClientConstructor({}, "bare.Echo");
  const client = new Stub(target, credentials.createInsecure(), options);
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

/** What became of a unary call: its response, or its error. And who answered. */
export interface Answer {
  readonly response: string | undefined;
  readonly error: ServiceError | undefined;
  readonly peer: string;
}

/** Makes a unary call. The promise resolves however the call ends. */
export function ask(client: Client, request = "hi", options: CallOptions = {}): Promise<Answer> {
  const { path, requestSerialize, responseDeserialize } = echoService.unary;
  return new Promise((resolve) => {
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      new Metadata(),
      { deadline: Date.now() + 10_000, ...options },
      (error, response) => resolve({ response, error: error ?? undefined, peer: call.getPeer() }),
    );
  });
}

/** What programs for `run` begin with. */
const PREPARED = `
import * as grpc from "@grpc/grpc-js";
const text = { requestSerialize: Buffer.from, requestDeserialize: String,
  responseSerialize: Buffer.from, responseDeserialize: String };
const unary = { path: "/a/b", requestStream: false, responseStream: false, ...text };
async function call(server, policy = { pick_first: {} }) {
  const port = await new Promise((resolve) => server.bindAsync("127.0.0.1:0",
    grpc.ServerCredentials.createInsecure(), (_, bound) => resolve(bound)));
  const config = JSON.stringify({ loadBalancingConfig: [policy] });
  const client = new grpc.Client("127.0.0.1:" + port, grpc.credentials.createInsecure(),
    { "grpc.service_config": config });
  for (let n = 0; n < 5; n++) {
    await new Promise((resolve) =>
      client.makeUnaryRequest("/a/b", Buffer.from, String, "hi", resolve));
  }
  setImmediate(() => process.exit(0));
}
`;

/**
 * Runs a program that has grpc-js as `grpc`, a service's method as `unary`, and the function `call`,
 * which calls it on a server five times. Returns its exit code and what it printed.
 */
export function run(code: string): Promise<{ exitCode: number | null; output: string }> {
  const program = `${PREPARED}\n${code}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: join(import.meta.dirname, "..", ".."),
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (part: string) => {
      output += part;
    });
  }
  return new Promise((resolve) => child.on("close", (exitCode) => resolve({ exitCode, output })));
}
