// Tests the step over the wire: what it does, and what it refuses.

import { it } from "node:test";

it.todo("does what the step before does not");
