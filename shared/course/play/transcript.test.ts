// Tests how transcripts are compared and updated.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compare, update } from "./transcript.ts";

describe("comparing", () => {
  const lines = (text: string) => (text === "" ? [] : text.split("|"));

  it("knows wildcards, within a line and for any lines", () => {
    const agreeing = ["=", "a|b=a|b", "a [..] c=a b c", "...=", "...|z=a|b|z", "a  =a"];
    const differing = ["a=a|b", "a|b=a", "a [..] c=a c", "a.c=abc", "a|...|b=a|x"];
    for (const pair of [...agreeing, ...differing, "a|...|b|...|c=a|x|b|b|c"]) {
      const [expected = "", output = ""] = pair.split("=");
      const { agrees } = compare(lines(expected), lines(output), true);
      assert.equal(agrees, !differing.includes(pair), pair);
    }
  });

  it("of a program that goes on takes the lines it needs and leaves the rest", () => {
    assert.deepEqual(compare(["a"], ["a", "b"], false), { agrees: true, used: 1 });
    assert.deepEqual(compare(["...", "b"], ["a", "b", "c"], false), { agrees: true, used: 2 });
    assert.deepEqual(compare(["a", "..."], ["a", "b"], false), { agrees: true, used: 2 });
  });
});

describe("bringing up to date", () => {
  it("keeps lines that match, with their wildcards, and replaces the others", () => {
    const expected = ["start [..]", "...", "price $6.50", "at [..] left 3", "end"];
    const output = ["start 12:00", "x", "y", "price $7.00", "at noon left 2", "end"];
    assert.deepEqual(update(expected, output), [
      "start [..]",
      "...",
      "price $7.00",
      "at [..] left 2",
      "end",
    ]);
  });

  it("adds what is new and drops what is gone", () => {
    assert.deepEqual(update(["a", "b"], ["a", "n", "b"]), ["a", "n", "b"]);
    assert.deepEqual(update(["a", "b [..]", "c"], ["a", "c"]), ["a", "c"]);
    assert.deepEqual(update([], ["a"]), ["a"]);
    assert.deepEqual(update(["..."], ["a", "b"]), ["..."]);
  });
});
