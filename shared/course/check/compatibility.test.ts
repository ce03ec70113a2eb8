// The table of old clients and new servers in the README is what a run gives, and can be wrong.

import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { Workspace } from "../play/workspace.ts";
import { courseRoot, listSteps } from "../steps.ts";
import { compatibilityTable, putTable } from "./compatibility.ts";

it("the README says how old clients and new servers get on", async () => {
  const readme = readFileSync(join(courseRoot, "README.md"), "utf8").replaceAll("\r\n", "\n");
  assert.equal(readme, putTable(readme, await compatibilityTable(courseRoot)));
});

it("the table shows a server that refuses what an old client asks", async () => {
  using copy = new Workspace(courseRoot);
  const [, second, ...others] = listSteps(copy.root);
  for (const { name } of others) rmSync(join(copy.root, name), { recursive: true });
  const file = join(copy.root, second?.name ?? "", "catalog", "product-or-not-found.ts");
  writeFileSync(file, readFileSync(file, "utf8").replace("!== undefined", "=== undefined"));
  const table = await compatibilityTable(copy.root);
  assert.match(table, /^\| 02 \| NOT_FOUND \| NOT_FOUND \|$/m);
  const [header = ""] = table.split("\n");
  assert.equal(putTable(`a\n${header}\n| lie |\n\nb\n`, table), `a\n${table}\n\nb\n`);
});
