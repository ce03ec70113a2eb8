// Performs a README, or the check of one of its exercises, in a copy of the course.

import { dirname } from "node:path";
import { createEnvironment } from "./environment.ts";
import { captionOf, type Part, type Readme } from "./readme.ts";
import { Stage } from "./stage.ts";
import type { Act } from "./transcript.ts";
import { Workspace } from "./workspace.ts";

/** The result of one act. */
export interface Outcome {
  readonly act: Act;
  readonly result: "as written" | "different" | "skipped";
  /** For "different": what is wrong. For "skipped": the tool that is missing. */
  readonly reason: string;
  /** The line of the README that is wrong, from 1. */
  readonly line: number;
  /** Everything that the act printed, with the ports shown in the README. */
  readonly output: readonly string[];
  readonly exitCode: number | undefined;
}

/** Callbacks that follow a performance as it happens. */
export interface Audience {
  /** Called before each part. The performance waits for the result; false ends it. */
  part?(part: Part): Promise<boolean>;
  /** Called before each act. */
  act?(act: Act, terminal: string | undefined): void;
  /** Called with new lines that a program has printed. */
  print?(lines: readonly string[], terminal: string | undefined): void;
  /** Called after each act. False ends the performance. */
  outcome?(outcome: Outcome, terminal: string | undefined): boolean;
}

export interface PerformOptions {
  readonly audience?: Audience;
  /** How long to wait for a command or its expected output. The default is 60 s. */
  readonly timeoutMs?: number;
  /** Changes the copy before anything runs in it. */
  prepare?(copy: Workspace): Promise<void>;
}

/**
 * Performs `readme` in a copy of the course in `root`.
 * @returns an outcome for each act, in order, after all programs have ended and the copy is removed.
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
    for (const [at, part] of readme.parts.entries()) {
      if ((await audience.part?.(part)) === false) break;
      if (part.exercise !== undefined) continue;
      const endsLater = isSeenAfter(part, readme.parts.slice(at + 1));
      if (!(await stage.play(part, dirname(readme.file), endsLater))) break;
    }
    return stage.outcomes;
  } finally {
    await stage.clear();
  }
}

/** Returns true if the next block of a part's terminal shows more output of the same program. */
function isSeenAfter(part: Part, later: readonly Part[]): boolean {
  // Blocks of the same terminal have the same caption.
  const acts = later.flatMap((next) =>
    captionOf(next) === captionOf(part) && next.kind === "transcript" ? next.acts : [],
  );
  return acts[0]?.kind === "look";
}
