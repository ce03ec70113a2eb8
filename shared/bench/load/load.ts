// The load generator: a process that puts load on one server after the other, as it is told.

import type { Job, LoadMessage } from "../jobs.ts";
import { countBytes } from "./count-bytes.ts";
import { measure } from "./measure.ts";
import { openWatches } from "./watches.ts";
import { loads } from "./workloads.ts";

const say = (message: LoadMessage) => process.send?.(message);

async function perform(job: Job): Promise<LoadMessage> {
  switch (job.kind) {
    case "bytes":
      return { kind: "done", result: await countBytes(job.target) };
    case "watch":
      await openWatches(job.target, job.count, job.reading);
      return { kind: "done", result: undefined };
    case "load": {
      const load = await loads[job.workload](job.target);
      try {
        const result = await measure(load, job, () => say({ kind: "measuring" }));
        return { kind: "done", result };
      } finally {
        load.close();
      }
    }
  }
}

process.on("message", (job: Job) => {
  perform(job).then(say, (error: Error) => say({ kind: "failed", reason: error.message }));
});
process.on("disconnect", () => process.exit(0));
