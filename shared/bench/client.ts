// Makes the calls that are measured: with the client that ts-proto generates, for REST with fetch.

import { readFileSync } from "node:fs";
// The course's grpc-js, which the generated code uses too. The copy in this folder is nice-grpc's.
import {
  credentials,
  Metadata,
  type requestCallback,
} from "../../node_modules/@grpc/grpc-js/build/src/index.js";
// Step 03 is the first that offers all calls. The contract only grows, so this client fits the rest.
import { CatalogServiceClient } from "../../step-03-bidi/gen/bakery/v1/catalog.ts";

/** Messages of one upload: crates, then the delivery note. */
export const UPLOAD_MESSAGES = 500;

const DEADLINE_MS = 30_000;

/** A server that listens, and what a client needs to call it. */
export interface Target {
  /** HOST:PORT */
  readonly address: string;
  readonly rest: boolean;
  /** The file of the certificate to trust, PEM; undefined for plaintext. */
  readonly caFile: string | undefined;
  /** Sent with every call; undefined for a server that expects none. */
  readonly token: string | undefined;
}

/** Calls to one server, on one connection. For REST, fetch opens one for each call under way. */
export interface Client {
  /** GetProduct, or GET /products/sourdough. */
  unary(): Promise<unknown>;
  /** RestockProducts with UPLOAD_MESSAGES messages; rejects for REST, which has no such call. */
  upload(): Promise<unknown>;
  close(): void;
}

export function openClient({ address, rest, caFile, token }: Target): Client {
  if (rest) return restClient(address);
  const channel =
    caFile === undefined
      ? credentials.createInsecure()
      : credentials.createSsl(readFileSync(caFile));
  // From Node.js 25 on, grpc-js cannot use an IP address as the name to check a certificate for.
  const catalog = new CatalogServiceClient(address, channel, {
    "grpc.ssl_target_name_override": "localhost",
  });
  const metadata = new Metadata();
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
  const options = () => ({ deadline: Date.now() + DEADLINE_MS });
  return {
    unary: () =>
      answer((done) => catalog.getProduct({ id: "sourdough" }, metadata, options(), done)),
    upload: () =>
      answer((done) => {
        const call = catalog.restockProducts(metadata, options(), done);
        const crates = UPLOAD_MESSAGES - 1;
        for (let crate = 0; crate < crates; crate++) {
          call.write({ content: { $case: "crate", value: { productId: "rye", units: 1 } } });
        }
        call.end({ content: { $case: "deliveryNote", value: { crates } } });
      }),
    close: () => catalog.close(),
  };
}

function restClient(address: string): Client {
  return {
    async unary() {
      const response = await fetch(`http://${address}/products/sourdough`);
      if (!response.ok) throw new Error(`GET /products/sourdough: status ${response.status}`);
      return await response.json();
    },
    upload: () => Promise.reject(new Error("REST has no uploads here")),
    close() {},
  };
}

function answer<Response>(start: (done: requestCallback<Response>) => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    start((error, response) => (error === null ? resolve(response) : reject(error)));
  });
}

/** Makes `times` calls, `inFlight` of them at any moment. Rejects with the first that fails. */
export async function repeat(
  call: () => Promise<unknown>,
  times: number,
  inFlight: number,
): Promise<void> {
  let left = times;
  const work = async () => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, times) }, work));
}
