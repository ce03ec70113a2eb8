// Tests the npm scripts of the course: their error messages, and what some of them do.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { diffSteps } from "../author/step-diff.ts";
import { run } from "../fixtures.ts";
import { courseRoot, isSupported, listSteps } from "../steps.ts";

const script = (file: string, ...args: string[]) =>
  run(courseRoot, join("shared", "course", file), ...args);
const { engines, scripts } = JSON.parse(readFileSync(join(courseRoot, "package.json"), "utf8"));

describe("the npm scripts", { concurrency: 2 }, () => {
  for (const [name, command] of Object.entries<string>(scripts)) {
    const [, file, flag] = /shared\/course\/(\S+) ?(--course)?/.exec(command) ?? [];
    if (file === undefined || /^(prepare|check)$/.test(name)) continue;
    it(`npm run ${name} refuses what it does not know, and says how it is used`, async () => {
      const { exitCode, output } = await script(file, ...(flag ? [flag] : []), "--nonsense", "1");
      assert.equal(exitCode, 2);
      assert.match(output, name === "diff" ? /there is no step "--nonsense"/ : /^Usage: npm /m);
      assert.doesNotMatch(output, /^ {4}at /m);
    });
  }
});

it("npm run diff shows what a step changes, new files whole, and nothing else", async () => {
  const [first, second] = listSteps();
  assert.ok(first && second);
  const { exitCode, output } = await script("author/diff.ts", first.name, "02");
  assert.equal(exitCode, 0);
  const headings = output.match(/^(new|changed|gone) {2}step-02\S+$/gm) ?? [];
  const changes = diffSteps(courseRoot, first.name, second.name);
  const expected = changes.map(({ kind, file }) => `${kind}  ${second.name}/${file}`);
  assert.deepEqual([...headings], expected);
  const added = changes.find(({ kind }) => kind === "new");
  assert.ok(output.includes(`new  ${second.name}/${added?.file}\n${added?.now}\n`));
  assert.match(output, /^changed {2}\S+\/server\.ts\n@@ .*@@\n(( |\+|-).*\n)+/m);
});

it("the course refuses a Node.js that package.json does not name", () => {
  assert.equal(engines.node, ">=20.19.3 <21 || >=22.13");
  for (const version of ["20.19.3", "20.20.0", "22.13.0", "24.0.0"])
    assert.ok(isSupported(version));
  for (const version of ["18.20.8", "20.19.2", "21.7.3", "22.12.0"]) {
    assert.equal(isSupported(version), false, version);
  }
});
