// Tests how npm start lays out prose.

import assert from "node:assert/strict";
import { it } from "node:test";
import { layOut } from "./prose.ts";

const table = "| File | | What it is |\n| --- | --- | --- |\n| `a.ts` | new | a \\| b, and more |";

it("prose is broken at words, lists keep their shape, tables become columns", () => {
  const text = "One **two\nthree** *four*.\n\n- a long item\n  goes on\n- b\n\n";
  assert.deepEqual(layOut(text + table, 34).split("\n"), [
    "One two three four.",
    "",
    "- a long item goes on",
    "- b",
    "",
    "File         What it is",
    "`a.ts`  new  a | b, and more",
  ]);
  assert.match(layOut(text, 12), /^One two\nthree four\.\n\n- a long\n {2}item goes\n/);
});

it("the last column of a table is wrapped, and stands below the others on a narrow terminal", () => {
  const words = "| a | b |\n| --- | --- |\n| a-long-name | one two three four five six seven |";
  assert.match(layOut(words, 34), /^a-long-name {2}one two three four$\n^ {13}five six seven$/m);
  assert.match(layOut(words, 24), /^a-long-name$\n^ {4}one two three four$\n^ {4}five six/m);
});
