// Reading metrics, by itself.

import assert from "node:assert/strict";
import { createServer } from "node:http";
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
    const server = createServer((_request, response) => response.writeHead(404).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    await assert.rejects(fetchSamples(`http://127.0.0.1:${port}/`), /HTTP status 404$/);
    server.close();
    server.closeAllConnections();
    await assert.rejects(fetchSamples("http://127.0.0.1:1/"), /nobody answers/);
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
