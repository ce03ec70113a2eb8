// The attacks of npm run abuse, each at half its count: the server withstands them all.

import assert from "node:assert/strict";
import { it } from "node:test";
import { noSignals } from "../play/programs.ts";
import { abuse, table } from "./abuse.ts";
import { attacks } from "./attacks.ts";

it("step 07 withstands every attack", { skip: noSignals }, async () => {
  const damages = await abuse(attacks, { share: 0.5 });
  assert.deepEqual(
    damages.map(({ attack, withstood }) => [attack, withstood]),
    attacks.map(({ name }) => [name, true]),
    table(damages),
  );
});
