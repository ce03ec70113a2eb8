// A reporter for node:test, one line of JSON for each test or hook that failed, and why.

import { AssertionError } from "node:assert/strict";
import type { TestEvent } from "node:test/reporters";

/** A test that failed of itself; one that failed with another is not reported. */
export interface TestFailure {
  readonly test: string;
  /**
   * "assertion" or "status": the test has seen a program do something else than it should.
   * "crash": the test itself does not work.
   */
  readonly kind: "assertion" | "status" | "crash";
  readonly message: string;
}

/** The last line. Without it, the tests came to no end. */
export const END_LINE = '"end"';

/** Fails because another does: a test of its suite, or the hook before it. */
const secondary = new Set(["subtestsFailed", "cancelledByParent"]);

export default async function* report(
  events: AsyncIterable<TestEvent>,
): AsyncGenerator<string, void> {
  for await (const { type, data } of events) {
    if (type !== "test:fail") continue;
    const { error } = data.details;
    const failureType = "failureType" in error ? String(error.failureType) : "";
    if (secondary.has(failureType)) continue;
    const cause: unknown = error.cause ?? error;
    const failure: TestFailure = {
      test: data.name,
      kind: kindOf(failureType, cause),
      message: cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause),
    };
    yield `${JSON.stringify(failure)}\n`;
  }
  yield `${END_LINE}\n`;
}

function kindOf(failureType: string, cause: unknown): TestFailure["kind"] {
  if (failureType !== "testCodeFailure" && failureType !== "hookFailed") return "crash";
  if (cause instanceof AssertionError) return "assertion";
  // What grpc-js gives a client for every status but OK; a system's error has a word for its code.
  const isStatus =
    cause instanceof Error &&
    "code" in cause &&
    typeof cause.code === "number" &&
    "details" in cause;
  return isStatus ? "status" : "crash";
}
