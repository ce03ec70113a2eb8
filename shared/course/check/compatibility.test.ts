// Tests that the README's table of old clients and new servers matches a real run.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { courseRoot } from "../steps.ts";
import { compatibilityTable } from "./compatibility.ts";

it("the README says how old clients and new servers get on", async () => {
  const readme = readFileSync(join(courseRoot, "README.md"), "utf8").replaceAll("\r\n", "\n");
  const table = await compatibilityTable(courseRoot);
  assert.ok(readme.includes(`\n${table}\n\n`), `README.md must have this table:\n${table}`);
});
