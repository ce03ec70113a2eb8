// Makes the calls that are measured: with the client that ts-proto generates, or with fetch for REST.

import { readFileSync } from "node:fs";
// The course's grpc-js, which the generated code uses too. The copy in this folder is nice-grpc's.
import * as grpc from "../../node_modules/@grpc/grpc-js/build/src/index.js";
// Step 03 is the first with all calls. The contract only grows, so this client works with later steps.
import { unaryCall } from "../../step-03-bidi/client/unary-call.ts";
import { CatalogServiceClient } from "../../step-03-bidi/gen/bakery/v1/catalog.ts";

/** Messages in one upload: crates, then the delivery note. */
export const UPLOAD_MESSAGES = 500;

const DEADLINE_MS = 30_000;

/** What a client needs to know about a server. */
export interface Target {
  readonly rest: boolean;
  /** The certificate to trust, a PEM file; undefined for plaintext. */
  readonly caFile?: string | undefined;
  /** Sent with every call; undefined for a server that expects none. */
  readonly token?: string | undefined;
}

/**
 * Returns functions that call one server. gRPC calls share a connection; each concurrent REST call has
 * its own. REST has no upload.
 * @param address HOST:PORT
 */
export function openClient(address: string, { rest, caFile, token }: Target) {
  const credentials =
    caFile === undefined
      ? grpc.credentials.createInsecure()
      : grpc.credentials.createSsl(readFileSync(caFile));
  // From Node.js 25 on, grpc-js cannot check a certificate against an IP address.
  const names = { "grpc.ssl_target_name_override": "localhost" };
  const catalog = new CatalogServiceClient(address, credentials, names); // It connects when called.
  const metadata = new grpc.Metadata();
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
  const options = () => ({ deadline: Date.now() + DEADLINE_MS });

  const getProduct = () =>
    unaryCall((done) => catalog.getProduct({ id: "sourdough" }, metadata, options(), done));
  const upload = () =>
    unaryCall((done) => {
      const call = catalog.restockProducts(metadata, options(), done);
      const crates = UPLOAD_MESSAGES - 1;
      for (let crate = 0; crate < crates; crate++) {
        call.write({ content: { $case: "crate", value: { productId: "rye", units: 1 } } });
      }
      call.end({ content: { $case: "deliveryNote", value: { crates } } });
    });
  const unary = rest ? () => fetchJson(`http://${address}/products/sourdough`) : getProduct;
  return { unary, upload, close: () => catalog.close() };
}

async function fetchJson(url: string): Promise<unknown> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`GET ${url}: status ${response.status}`);
  return await response.json();
}

/** Makes `times` calls, at most `inFlight` at a time. Rejects with the first error. */
export async function repeat(call: () => Promise<unknown>, times: number, inFlight: number) {
  let left = times;
  const work = async () => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: inFlight }, work));
}
