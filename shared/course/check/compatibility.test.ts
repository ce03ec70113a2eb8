// The table of old clients and new servers in the README is what a run gives, and can be wrong.

import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Workspace } from "../play/workspace.ts";
import { courseRoot, listSteps, type Step } from "../steps.ts";
import {
  compatibilityTable,
  putTable,
  type Trial,
  tableProblem,
  tryAllPairs,
} from "./compatibility.ts";

const readme = () => readFileSync(join(courseRoot, "README.md"), "utf8").replaceAll("\r\n", "\n");
const step = (number: number): Step => ({ number, name: `step-0${number}-x` });

it("old clients and new servers get on as the README says", async () => {
  assert.equal(tableProblem(readme(), compatibilityTable(await tryAllPairs(courseRoot))), "");
});

describe("the trials", () => {
  it("see a server that no longer does what an old client asks, and one that ends", async () => {
    const copy = new Workspace(courseRoot);
    try {
      for (const { name } of listSteps(copy.root).slice(2)) {
        rmSync(join(copy.root, name), { recursive: true });
      }
      const file = join(copy.root, "step-02-server-stream", "catalog", "known-product.ts");
      const text = readFileSync(file, "utf8");
      writeFileSync(file, text.replace("!== undefined", "=== undefined"));
      const table = compatibilityTable(await tryAllPairs(copy.root));
      assert.deepEqual(table.slice(0, 4), [
        "| | server 02 |",
        "| --- | --- |",
        "| client 01 | NOT_FOUND |",
        "",
      ]);
      writeFileSync(file, text.replace("const product", "process.exit(3); const product"));
      await assert.rejects(
        tryAllPairs(copy.root),
        /^Error: the client of step-01-unary ends the server of step-02-server-stream:/,
      );
    } finally {
      copy.remove();
    }
  });
});

describe("the table", () => {
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
  const table = [
    "| | server 02 | server 03 |",
    "| --- | --- | --- |",
    "| client 01 | all | no TLS |",
    "| client 02 | | get; no token, INTERNAL |",
  ];
  const text = putTable(readme(), compatibilityTable(trials));

  it("says what works, and why the rest does not", () => {
    assert.deepEqual(compatibilityTable(trials).slice(0, 4), table);
    assert.match(compatibilityTable(trials).at(-2) ?? "", /^- \*\*no token\*\*: UNAUTHENTICATED; /);
  });

  it("is written between its markers, and nothing else is touched", () => {
    assert.ok(text.includes(`\n\n${table.join("\n")}\n\n`));
    assert.equal(putTable(text, compatibilityTable(trials)), text);
    const [before, after] = text.split(table.join("\n"));
    assert.ok(readme().startsWith(before ?? "?"));
    assert.ok(readme().endsWith(after?.slice(after.indexOf("<!-- end of")) ?? "?"));
  });

  it("that is not true is found, by its row", () => {
    assert.equal(tableProblem(text, compatibilityTable(trials)), "");
    const lie = text.replace("| client 01 | all | no TLS |", "| client 01 | all | all |");
    const line = lie.split("\n").indexOf("| client 01 | all | all |") + 1;
    assert.equal(
      tableProblem(lie, compatibilityTable(trials)),
      `README.md:${line}: old clients against new servers have come to something else:\n` +
        "  README  | client 01 | all | all |\n" +
        "  run     | client 01 | all | no TLS |\n" +
        "If that is meant, npm run compatibility -- --update writes it.",
    );
  });

  it("must have its place", () => {
    for (const wrong of ["", text + text, text.replace("<!-- end of", "<!-- at the end of")]) {
      assert.throws(() => putTable(wrong, table), /README\.md: must hold these two lines, once:/);
    }
  });
});
