// Runs negative controls: a step's tests must fail when they run the programs of the previous step.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runToEnd } from "../fixtures.ts";

/** A test or hook that failed by itself, not because a nested test failed. */
interface Failure {
  readonly test: string;
  /** True if the test itself is broken; false if it found wrong behaviour of a program. */
  readonly crashed: boolean;
  readonly message: string;
}

/**
 * Runs the tests of `step` with the servers and the client of the step `programs`; the tests' own imports
 * are unchanged. See servers.ts.
 * @returns what is wrong with the tests and how to fix it; empty if they fail as they should.
 */
export async function control(root: string, step: string, programs: string): Promise<string> {
  const args = [
    "--import=tsx/esm",
    `--import=${pathToFileURL(join(import.meta.dirname, "test-process.ts")).href}`,
    "--test-reporter=tap",
    join(root, step, "step.test.ts"),
  ];
  const COURSE_CONTROL = step === programs ? undefined : `${step} ${programs}`;
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, COURSE_CONTROL };
  const { output } = await runToEnd({ file: process.execPath, args, cwd: root, env });
  if (/^# tests \d+$/m.test(output)) return judge(step, failuresIn(output));
  return `the tests of ${step} broke off:\n${output.trimEnd()}`;
}

/** Returns the failures in a report in the Test Anything Protocol. */
function failuresIn(report: string): Failure[] {
  const blocks = report.matchAll(/^( *)not ok \d+ - ([^\n]*)\n\1 {2}---\n(.*?)\n\1 {2}\.\.\.$/gms);
  return [...blocks].flatMap(([, indent = "", test = "", details = ""]): Failure[] => {
    // Lines with a deeper indent are the error's own text, which can contain anything.
    const field = (name: string) =>
      new RegExp(`^${indent}  ${name}: (\\|-\\n)?(.*)$`, "m").exec(details)?.[2] ?? "";
    const [type, code] = [field("failureType"), field("code")];
    if (type === "'subtestsFailed'" || type === "'cancelledByParent'") return [];
    // The code of a call's status is a number; that of a system error or a bug is a word.
    const isSeen = code === "'ERR_ASSERTION'" || /^\d+$/.test(code);
    const isOfTest = type === "'testCodeFailure'" || type === "'hookFailed'";
    return [{ test, crashed: !isSeen || !isOfTest, message: field("error").trim() }];
  });
}

function judge(step: string, failures: readonly Failure[]): string {
  if (failures.length === 0) {
    return `the tests of ${step} pass with the programs of the step before: they do not notice that the \
feature is missing. Add a test that reaches it through a server or client.ts.`;
  }
  const crashes = failures.filter(({ crashed }) => crashed);
  if (crashes.length === 0) return "";
  const list = crashes.map(({ test, message }) => `  ${test}\n    ${message}`).join("\n");
  return `with the programs of the step before, these tests of ${step} crash. Let them fail by an \
assertion or by a call's status, so that it shows what is missing:\n${list}`;
}
