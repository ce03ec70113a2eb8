// Tests how metrics are read and summarised, without a gRPC server.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { fetchSamples, growth, quantile, readSamples, seriesOf } from "./samples.ts";

const page = `# HELP calls_total Calls that ended: "all".
# TYPE calls_total counter
calls_total{method="Get",path="a \\"b\\" {c}, d=\\"e\\""} 12
calls_total{method="Put"} 3

bare 1.5e-3
time_bucket{le="0.1"} 0
time_bucket{le="0.25"} 100
time_bucket{le="+Inf"} 100
limit +Inf
`;

describe("a page of metrics", () => {
  it("is read, whatever labels hold", () => {
    const samples = readSamples(page);
    assert.deepEqual(samples[0], {
      name: "calls_total",
      labels: { method: "Get", path: 'a \\"b\\" {c}, d=\\"e\\"' },
      value: 12,
    });
    assert.deepEqual(
      samples.map((sample) => `${seriesOf(sample)} ${sample.value}`),
      page
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("#"))
        .map((line) => line.replace("1.5e-3", "0.0015").replace(" +Inf", " Infinity")),
    );
  });

  it("is compared with an earlier one", () => {
    const before = readSamples('calls_total{method="Put"} 1\n');
    const grown = growth(before, readSamples('calls_total{method="Put"} 3\nnew_total 2\n'));
    assert.deepEqual(
      grown.map(({ value }) => value),
      [2, 2],
    );
  });

  it("has to be there", async () => {
    await using empty = await servePages();
    await assert.rejects(fetchSamples(empty.url), /HTTP status 404$/);
    await assert.rejects(fetchSamples("http://127.0.0.1:1/"), /nothing answers/);
  });
});

/** Serves pages on a free port: one for each request, then the last one again. */
async function servePages(...pages: string[]) {
  let next = 0;
  const server = createServer((_request, response) => {
    const body = pages[Math.min(next++, pages.length - 1)];
    if (body === undefined) response.writeHead(404);
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/metrics`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Returns a page with this number of calls for each status; half of them took up to 0.1 s. */
function callsPage(type: string, codes: Record<string, number>): string {
  const method = `grpc_type="${type}",grpc_service="bakery.v1.Shelf",grpc_method="Get"`;
  const calls = Object.values(codes).reduce((sum, count) => sum + count, 0);
  return [
    `grpc_server_started_total{${method}} ${calls}`,
    ...Object.entries(codes).map(
      ([code, count]) => `grpc_server_handled_total{${method},grpc_code="${code}"} ${count}`,
    ),
    ...[calls / 2, calls, calls].map((count, at) => {
      const le = ["0.1", "0.3", "+Inf"][at];
      return `grpc_server_handling_seconds_bucket{le="${le}",${method}} ${count}`;
    }),
    "nodejs_heap 1",
    "",
  ].join("\n");
}

describe("figures", () => {
  const figures = async (url: string, ...options: string[]) => {
    const program = join(import.meta.dirname, "figures.ts");
    const args = ["--import", "tsx/esm", program, "--url", url, ...options];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return [stdout, stderr];
  };
  const codes = { OK: 90, NOT_FOUND: 4, INTERNAL: 3, UNAVAILABLE: 2, DEADLINE_EXCEEDED: 1 };
  const header = "METHOD     CALLS  OK  FAULTS  P50       P99\n";

  it("tell the server's faults from other failures", async () => {
    await using unary = await servePages(callsPage("unary", codes));
    assert.deepEqual(await figures(unary.url), [
      `${header}Shelf/Get  100    90  6       100.0 ms  296.0 ms\nseries: grpc 9, nodejs 1\n`,
      "",
    ]);
    // A stream that ends by its deadline has not failed.
    await using stream = await servePages(callsPage("server_stream", codes));
    const [stdout = ""] = await figures(stream.url);
    assert.match(stdout, /^Shelf\/Get +100 +90 +5 /m);
  });

  it("are those of some seconds, if asked", async () => {
    const later = callsPage("unary", { ...codes, OK: 100 });
    await using pages = await servePages(callsPage("unary", codes), later);
    const [stdout = ""] = await figures(pages.url, "--seconds", "1");
    assert.match(stdout, /^Shelf\/Get +10 +10 +0 /m);
    const [none] = await figures(pages.url, "--seconds", "1");
    assert.equal(none, "no call has ended\nseries: grpc 9, nodejs 1\n");
  });

  it("come with the series themselves, if asked", async () => {
    await using pages = await servePages(callsPage("unary", { OK: 1 }));
    const started = await figures(pages.url, "--series", "grpc_server_started");
    const labels = 'grpc_type="unary",grpc_service="bakery.v1.Shelf",grpc_method="Get"';
    assert.deepEqual(started, [`grpc_server_started_total{${labels}} 1\n`, ""]);
    const nope = await figures(pages.url, "--series", "nope");
    assert.deepEqual(nope, ["no series starts with nope\n", ""]);
  });

  it("say so where there is no page", async () => {
    const [stdout, stderr = ""] = await figures("http://127.0.0.1:1/metrics");
    assert.equal(stdout, "");
    assert.match(stderr, /^nothing answers at [^\n]+\n$/);
  });
});

describe("a quantile", () => {
  const buckets = (...counts: [le: string, count: number][]) =>
    counts.map(([le, value]) => ({ name: "time_bucket", labels: { le }, value }));
  const share = (part: number, ...counts: [le: string, count: number][]) =>
    Number(quantile(part, buckets(...counts)).toFixed(6));

  it("lies in its bucket, as far as its calls are spread evenly", () => {
    const inOne = [
      ["0.1", 0],
      ["0.25", 100],
      ["+Inf", 100],
    ] as [string, number][];
    assert.deepEqual([share(0.5, ...inOne), share(0.99, ...inOne)], [0.175, 0.2485]);
    assert.equal(share(0.99, ["0.01", 98], ["0.5", 98], ["1", 100], ["+Inf", 100]), 0.75);
  });

  it("is the highest bound there is for what took longer, and 0 without calls", () => {
    assert.equal(share(0.99, ["0.1", 1], ["2.5", 1], ["+Inf", 10]), 2.5);
    assert.equal(share(0.99, ["0.1", 0], ["+Inf", 0]), 0);
    assert.equal(quantile(0.5, []), 0);
  });
});
