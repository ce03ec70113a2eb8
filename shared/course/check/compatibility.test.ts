// The table of old clients and new servers in the README is what a run gives, and can be wrong.

import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { writeFiles } from "../fixtures.ts";
import { Workspace } from "../play/workspace.ts";
import { courseRoot, listSteps, type Step } from "../steps.ts";
import {
  compatibilityTable,
  putTable,
  type Trial,
  tableProblem,
  tryPairs,
} from "./compatibility.ts";
import { startServers } from "./servers.ts";

const readme = () => readFileSync(join(courseRoot, "README.md"), "utf8").replaceAll("\r\n", "\n");

it("old clients and new servers get on as the README says", async () => {
  assert.equal(tableProblem(readme(), compatibilityTable(await tryPairs(courseRoot))), "");
});

describe("the trials", () => {
  it("notice a server that refuses what an old client asks, and one that ends", async () => {
    using copy = new Workspace(courseRoot);
    const [, second, ...others] = listSteps(copy.root);
    for (const { name } of others) rmSync(join(copy.root, name), { recursive: true });
    const file = join(copy.root, second?.name ?? "", "catalog", "known-product.ts");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace("!== undefined", "=== undefined"));
    const table = compatibilityTable(await tryPairs(copy.root));
    assert.deepEqual(table.slice(2, 4), ["| 02 | NOT_FOUND | NOT_FOUND |", ""]);
    writeFileSync(file, text.replace("const product", "process.exit(3); const product"));
    await assert.rejects(
      tryPairs(copy.root),
      /^Error: the client of step-01-\S+ ends a server of step-02-\S+:/,
    );
  });

  it("start all servers of a step, and tell each where those before it listen", async () => {
    using copy = new Workspace(courseRoot);
    const server = `import { createServer } from "node:net";
      console.log(process.env.CATALOG_ADDRESS ?? "first");
      const server = createServer().listen(Number(process.env.PORT), "127.0.0.1", () =>
        console.log("listening on 127.0.0.1:" + server.address().port));`;
    const folder = join(copy.root, "step-90-two");
    writeFiles(folder, { "catalog-server.ts": server, "orders-server.ts": server });
    await using running = await startServers(folder);
    const [catalog, orders] = running.servers;
    assert.equal(catalog?.program.lines()[0], "first");
    assert.equal(orders?.program.lines()[0], catalog?.address);
    assert.deepEqual(running.env, {
      BAKERY_ADDRESS: catalog?.address,
      CATALOG_ADDRESS: catalog?.address,
      ORDERS_ADDRESS: orders?.address,
    });
  });
});

it("the table says what works and why the rest fails, and is found where it is not true", () => {
  const step = (number: number): Step => ({ number, name: `step-0${number}-x` });
  const trials: Trial[] = [
    { client: step(1), server: step(2), outcomes: [["get", "OK"]] },
    { client: step(1), server: step(3), outcomes: [["get", "UNAVAILABLE"]] },
    {
      client: step(2),
      server: step(3),
      outcomes: [
        ["get", "OK"],
        ["order", "UNAUTHENTICATED"],
        ["track", "INTERNAL"],
      ],
    },
  ];
  const table = compatibilityTable(trials);
  assert.deepEqual(table.slice(2, 4), [
    "| 02 | all | all |",
    "| 03 | no TLS | get; no token, INTERNAL |",
  ]);
  assert.match(table.at(-2) ?? "", /^- \*\*no token\*\*: UNAUTHENTICATED; /);
  const text = putTable(readme(), table);
  assert.equal(tableProblem(text, table), "");
  const lie = text.replace("| 03 | no TLS |", "| 03 | all |");
  assert.match(
    tableProblem(lie, table),
    /^README\.md:\d+: .*\n {2}README {2}\| 03 \| all \| get;.*\n {2}run {5}\| 03 \| no TLS \|/,
  );
  assert.throws(() => putTable("", table), /README\.md: must hold these two lines:/);
});
