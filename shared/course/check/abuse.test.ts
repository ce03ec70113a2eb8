// The server of step 07 withstands the attacks of npm run abuse.

import assert from "node:assert/strict";
import { it } from "node:test";
import { noSignals, Program } from "../../testing/programs.ts";
import { courseRoot } from "../steps.ts";

it("step 07 withstands every attack", { skip: noSignals }, async () => {
  const args = ["--import", "tsx", "shared/course/check/abuse.ts"];
  const abuse = new Program({ file: process.execPath, args, cwd: courseRoot, env: process.env });
  await abuse.ends(120_000);
  assert.equal(abuse.exitCode, 0, abuse.output());
  await abuse.stop();
});
