// Tests that the server of step 07 withstands all attacks of npm run abuse.

import assert from "node:assert/strict";
import { it } from "node:test";
import { noSignals } from "../../testing/programs.ts";
import { abuse, table } from "./abuse.ts";
import { attacks } from "./attacks.ts";

it("step 07 withstands every attack", { skip: noSignals }, async () => {
  const damages = await abuse(attacks);
  const withstood = damages.filter((damage) => damage.withstood).map(({ name }) => name);
  assert.deepEqual(
    withstood,
    attacks.map(({ name }) => name),
    table(damages),
  );
});
