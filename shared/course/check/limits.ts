// Limits each test of the file that follows this module. --test-timeout would limit the file as a whole,
// however many tests it has.

import { afterEach, beforeEach } from "node:test";

const LIMIT_MS = Number(process.env.COURSE_TEST_LIMIT_MS ?? 300_000);

// Not in the process that starts the files.
if (process.env.NODE_TEST_CONTEXT?.startsWith("child")) {
  const timers = new WeakMap<object, NodeJS.Timeout>();
  beforeEach((test) => {
    const end = () => {
      console.error(`"${test.name}" is still running after ${LIMIT_MS / 1000} s`);
      process.exit(1);
    };
    timers.set(test, setTimeout(end, LIMIT_MS).unref());
  });
  afterEach((test) => clearTimeout(timers.get(test)));
}
