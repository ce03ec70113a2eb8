// Negative controls: the tests of a step must notice when they are given the programs of the step before.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { temporaryFolder } from "../play/cleanup.ts";
import { Program } from "../play/programs.ts";
import { END_LINE, type TestFailure } from "./failures-reporter.ts";

const here = (file: string) => pathToFileURL(join(import.meta.dirname, file)).href;

/** How long the tests of one step may take. */
const TIMEOUT_MS = 300_000;

/**
 * Runs the tests of `step` with the servers and the client of the step `programs`; everything that the
 * tests import stays their own. See servers.ts.
 * @throws {Error} if the tests do not come to an end, or a test file cannot be loaded.
 */
export async function runTestsAgainst(
  root: string,
  step: string,
  programs: string,
): Promise<TestFailure[]> {
  using folder = temporaryFolder("control");
  const report = join(folder.path, "report");
  writeFileSync(report, ""); // It stays so if the tests cannot even be loaded.
  const control = step === programs ? undefined : `${step} ${programs}`;
  const tests = new Program({
    file: process.execPath,
    args: [
      "--import=tsx/esm",
      `--import=${here("test-process.ts")}`,
      `--test-reporter=${here("failures-reporter.ts")}`,
      `--test-reporter-destination=${report}`,
      join(root, step, "step.test.ts"),
    ],
    cwd: root,
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, COURSE_CONTROL: control },
  });
  try {
    const ended = await tests.ends(TIMEOUT_MS);
    const lines = ended ? readFileSync(report, "utf8").trimEnd().split("\n") : [];
    if (lines.pop() !== END_LINE) {
      const why = ended ? "broke off" : `had not ended after ${TIMEOUT_MS / 1000} s`;
      throw new Error(`the tests of ${step} ${why}:\n${tests.output().trimEnd()}`);
    }
    return lines.map((line): TestFailure => JSON.parse(line));
  } finally {
    await tests.stop();
  }
}

/** Returns what is wrong with a control that gave these failures, and what to do; empty if it is good. */
export function judgeControl(step: string, failures: readonly TestFailure[]): string {
  if (failures.length === 0) {
    return (
      `the tests of ${step} pass with the programs of the step before: they do not notice that the ` +
      "feature is missing. Add a test that reaches it through a server or client.ts."
    );
  }
  const crashes = failures.filter(({ kind }) => kind === "crash");
  if (crashes.length === 0) return "";
  const list = crashes.map(({ test, message }) => `  ${test}\n    ${message}`).join("\n");
  return (
    `with the programs of the step before, these tests of ${step} crash. Let them fail by an ` +
    `assertion or by a call's status, so that it shows what is missing:\n${list}`
  );
}
