// Tests npm run eject: the project works on its own, and a failed run leaves nothing behind.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { temporaryFolder } from "../../testing/cleanup.ts";
import { run, runCommand, writeFiles } from "../fixtures.ts";
import { courseRoot } from "../steps.ts";
import { importsIn } from "./step-diff.ts";

describe("npm run eject", () => {
  const eject = (...args: string[]) =>
    run(courseRoot, join("shared", "course", "author", "eject.ts"), ...args);

  /** Returns the packages that the files of a project import, including generated files. */
  function packagesUsed(project: string): string[] {
    const files = readdirSync(project, { recursive: true, encoding: "utf8" });
    const imports = files
      .filter((file) => file.endsWith(".ts") && !file.startsWith("node_modules"))
      .flatMap((file) => importsIn(readFileSync(join(project, file), "utf8")))
      .filter((target) => !/^\.|^node:/.test(target))
      .map((target) => target.split("/", target.startsWith("@") ? 2 : 1).join("/"));
    return [...new Set(imports)].sort();
  }

  for (const step of ["1", "7"]) {
    it(`makes a project of step ${step} that works without the course`, async () => {
      using folder = temporaryFolder("ejected");
      const project = join(folder.path, `made-of-${step}`);
      const made = await eject(step, project);
      assert.equal(made.exitCode, 0, made.output);
      const offline = "--prefer-offline --no-audit --no-fund";
      for (const command of [`npm install ${offline}`, "npm run check", "npm test"]) {
        const { exitCode, output } = await runCommand(project, command);
        assert.equal(exitCode, 0, `${command}: ${output}`);
      }
      const { dependencies } = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
      const tools = ["@bufbuild/buf", "ts-proto", "tsx"];
      const others = Object.keys(dependencies).filter((name) => !tools.includes(name));
      assert.deepEqual(others, packagesUsed(project));
    });
  }

  it("says what is wrong, and makes nothing", async () => {
    using folder = temporaryFolder("ejected");
    const full = join(folder.path, "full");
    const [own, none] = [join(courseRoot, "mine"), join(folder.path, "none")];
    // The path is so long that the system refuses to write some of the files.
    let deep = none;
    while (deep.length < 4060) deep = join(deep, "x".repeat(Math.min(200, 4060 - deep.length)));
    writeFiles(full, { "notes.txt": "mine" });
    for (const [exitCode, words, ...args] of [
      [2, /^Usage: npm run eject STEP FOLDER\n/],
      [2, /^Usage: /, "7"],
      [2, /^Usage: /, "7", none, "more"],
      [2, /^there is no step "77"/, "77", none],
      [2, /full is not empty: /, "7", full],
      [2, /mine is inside the course: /, "7", own],
      [1, /^ENAMETOOLONG: /, "7", deep],
    ] as const) {
      const refused = await eject(...args);
      assert.match(refused.output, words);
      assert.equal(refused.exitCode, exitCode);
    }
    assert.deepEqual([readdirSync(folder.path), readdirSync(full)], [["full"], ["notes.txt"]]);
    assert.ok(!readdirSync(courseRoot).includes("mine"));
  });
});
