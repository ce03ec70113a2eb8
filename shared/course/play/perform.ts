// Performs a README in a copy of the course, or the check of one of its exercises.

import { dirname } from "node:path";
import { createEnvironment } from "./environment.ts";
import type { Part, Readme } from "./readme.ts";
import { Stage } from "./stage.ts";
import type { Act } from "./transcript.ts";
import { Workspace } from "./workspace.ts";

/** What came of one act. */
export interface Outcome {
  readonly act: Act;
  readonly result: "as written" | "different" | "skipped";
  /** For "different": what is wrong, in words. For "skipped": the tool that is missing. */
  readonly reason: string;
  /** The line of the README that is wrong, from 1. */
  readonly line: number;
  /** Everything that the act printed, with the ports that the README writes. */
  readonly output: readonly string[];
  readonly exitCode: number | undefined;
}

/** Follows a performance as it happens. */
export interface Audience {
  /** Before each part. The performance waits; false ends it. */
  part?(part: Part): Promise<boolean>;
  /** Before each act. */
  act?(act: Act, terminal: string | undefined): void;
  /** New lines that a program has printed. */
  print?(lines: readonly string[], terminal: string | undefined): void;
  /** After each act. False ends the performance. */
  outcome?(outcome: Outcome, terminal: string | undefined): boolean;
}

export interface PerformOptions {
  readonly audience?: Audience;
  /** How long a command may take, or its expected output may fail to appear. 60 s unless given. */
  readonly timeoutMs?: number;
  /** Changes the copy before anything runs in it. */
  prepare?(copy: Workspace): Promise<void>;
}

/**
 * Performs `readme` in a copy of the course in `root`.
 * @returns an outcome for each act, in order. All programs have ended, and the copy is gone.
 */
export async function perform(
  root: string,
  readme: Readme,
  { audience = {}, timeoutMs = 60_000, prepare }: PerformOptions = {},
): Promise<Outcome[]> {
  const acts = readme.parts.flatMap((part) => (part.kind === "transcript" ? part.acts : []));
  const text = acts.flatMap((act) => [act.command, ...act.expected]).join("\n");
  using workspace = new Workspace(root);
  await prepare?.(workspace);
  const environment = await createEnvironment(workspace.root, dirname(readme.file), text);
  const stage = new Stage({ workspace, environment, audience, timeoutMs });
  try {
    for (const part of readme.parts) {
      if ((await audience.part?.(part)) === false) break;
      if (part.exercise !== undefined) continue;
      if (!(await stage.play(part, dirname(readme.file)))) break;
    }
    return stage.outcomes;
  } finally {
    await stage.clear();
  }
}
