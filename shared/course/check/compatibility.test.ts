// Tests that the README's table of old clients and new servers matches a real run.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { courseRoot } from "../steps.ts";
import { compatibilityTable, putTable } from "./compatibility.ts";

it("the README says how old clients and new servers get on", async () => {
  const readme = readFileSync(join(courseRoot, "README.md"), "utf8").replaceAll("\r\n", "\n");
  assert.equal(readme, putTable(readme, await compatibilityTable(courseRoot)));
});
