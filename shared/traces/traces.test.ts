// Tests how spans are received and shown as trees, without gRPC.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { collector, readSpans, type Span } from "./spans.ts";
import { formatTrace, isWhole } from "./tree.ts";

const traceId = "5b8efff798038103d269b633813fc60c";

/** A request as OpenTelemetry's exporter sends it. */
const body = JSON.stringify({
  resourceSpans: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "bakery" } }] },
      scopeSpans: [
        {
          spans: [
            {
              traceId,
              spanId: "b7ad6b7169203331",
              parentSpanId: "00f067aa0ba902b7",
              name: "Service/Method",
              kind: 2,
              startTimeUnixNano: "1795273355123456789",
              endTimeUnixNano: "1795273355125956789",
              attributes: [
                { key: "rpc.response.status_code", value: { stringValue: "INTERNAL" } },
                { key: "server.port", value: { intValue: 50051 } },
              ],
              events: [{ name: "rpc.message", attributes: [{ key: "n", value: { intValue: 1 } }] }],
              status: { code: 2, message: "no flour" },
            },
          ],
        },
      ],
    },
  ],
});

const read: Span = {
  traceId,
  spanId: "b7ad6b7169203331",
  parentSpanId: "00f067aa0ba902b7",
  service: "bakery",
  name: "Service/Method",
  kind: "server",
  startMs: 1795273355123.456,
  durationMs: 2.5,
  error: "no flour",
  attributes: { "rpc.response.status_code": "INTERNAL", "server.port": "50051" },
  events: [{ name: "rpc.message", attributes: { n: "1" } }],
};

describe("a collector", () => {
  it("reads spans in OTLP's JSON", () => {
    assert.deepEqual(readSpans(body), [read]);
    assert.deepEqual(readSpans("{}"), []);
    assert.throws(() => readSpans("<html>"));
  });

  it("receives them over HTTP, packed or not, and refuses the rest", async () => {
    const received: Span[] = [];
    const server = collector((spans) => received.push(...spans));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === "object" && address?.port}/v1/traces`;
    const post = async (sent: string | Buffer, headers: Record<string, string>, to = url) =>
      (await fetch(to, { method: "POST", body: sent, headers })).status;
    const json = { "content-type": "application/json" };
    assert.equal(await post(body, json), 200);
    assert.equal(await post(gzipSync(body), { ...json, "content-encoding": "gzip" }), 200);
    assert.deepEqual(received, [read, read]);
    assert.equal(await post("no json", json), 400);
    assert.equal(await post('{"resourceSpans":7}', json), 400);
    assert.equal(await post("no gzip", { ...json, "content-encoding": "gzip" }), 400);
    assert.equal(await post(body, { "content-type": "application/x-protobuf" }), 415);
    assert.equal(await post(body, json, new URL("/", url).href), 404);
    assert.equal(received.length, 2);
    server.close();
    server.closeAllConnections();
  });
});

describe("a trace", () => {
  const span = (name: string, parent: string, startMs: number, more: Partial<Span> = {}): Span => ({
    ...read,
    ...{ spanId: name, parentSpanId: parent, name, startMs, attributes: {}, error: undefined },
    ...more,
  });

  it("is a tree in the order of time, whatever comes first", () => {
    const spans = [
      span("late", "call", 30),
      span("call", "root", 12.25, { attributes: { "rpc.response.status_code": "OK" } }),
      span("root", "", 10, { kind: "internal", error: "no flour" }),
      span("early", "call", 20),
    ];
    assert.ok(isWhole(spans));
    assert.equal(
      formatTrace(spans),
      `trace ${traceId}: 4 spans
SPAN       PROGRAM  KIND          BEGINS       TAKES  STATUS
root       bakery   internal      0.0 ms      2.5 ms  error
└ call     bakery   server        2.3 ms      2.5 ms  OK
  └ early  bakery   server       10.0 ms      2.5 ms
  └ late   bakery   server       20.0 ms      2.5 ms`,
    );
  });

  it("shows spans whose parents are missing", () => {
    const spans = [span("call", "elsewhere", 10), span("inner", "call", 11)];
    assert.equal(isWhole(spans), false);
    const [, , call, inner] = formatTrace(spans).split("\n");
    assert.match(call ?? "", /^call .* \(parent missing\)$/);
    assert.match(inner ?? "", /^└ inner .*2\.5 ms$/);
  });

  it("shows attributes, errors and events, if asked", () => {
    const lines = formatTrace([read], true).split("\n").slice(3);
    assert.deepEqual(lines, [
      "  rpc.response.status_code=INTERNAL",
      "  server.port=50051",
      "  error: no flour",
      "  event rpc.message n=1",
    ]);
  });
});
