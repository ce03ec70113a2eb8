// A run: starts the servers, measures them by turns, and ends everything that it has started.

import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { whenThisProcessEnds } from "../course/play/cleanup.ts";
import { Program } from "../course/play/programs.ts";
import { courseRoot } from "../course/steps.ts";
import { BARE, type Figures, type LoadSample, type MemorySample } from "./figures.ts";
import { type BytesResult, type Gauge, type LoadResult, type Workload, workloads } from "./jobs.ts";
import { here, ownEnvironment, Process } from "./processes.ts";
import {
  carelessSubject,
  listSubjects,
  type Running,
  type Subject,
  startSubject,
} from "./subjects.ts";

/** What `--only` may name. */
export const parts = [...workloads, "start-up", "bytes", "watchers", "slow-reader"] as const;
export type Part = (typeof parts)[number];

/** How long and how often. Times in milliseconds. */
interface Pace {
  /** How often the servers are started anew, and how many rounds they stay. */
  readonly lives: number;
  readonly rounds: number;
  readonly firstWarmUp: number;
  readonly firstWarmUpMessages: number;
  readonly warmUp: number;
  readonly measure: number;
  readonly starts: number;
  readonly level: number;
  readonly growth: number;
}

const quickPace: Pace = {
  lives: 1,
  rounds: 2,
  firstWarmUp: 1500,
  firstWarmUpMessages: 10_000,
  warmUp: 100,
  measure: 400,
  starts: 2,
  level: 3000,
  growth: 3000,
};
// Node.js does not compile the same program equally well each time it runs, so a full run starts the
// servers anew for each round.
const fullPace: Pace = {
  lives: 5,
  rounds: 1,
  firstWarmUp: 2000,
  firstWarmUpMessages: 15_000,
  warmUp: 300,
  measure: 1200,
  starts: 5,
  level: 60_000,
  growth: 30_000,
};

/** After this time on a slow machine no further life begins: better fewer rounds than a longer run. */
const MAX_LOAD_MS = 8 * 60_000;
const JOB_MS = 20_000;
const START_MS = 30_000;
const GAUGE_EVERY_MS = 500;
const WATCHERS = 1000;
const SLOW_READERS = 100;
const MIB = 2 ** 20;

/** What a run tells while it runs. */
export type Progress = (what: string) => void;

/**
 * Measures `wanted` and gives the figures. What fails is left out and named among the failures.
 * @throws {Error} if the load generator itself does not work.
 */
export async function run(
  wanted: ReadonlySet<Part>,
  quick: boolean,
  versions: Readonly<Record<string, string>>,
  progress: Progress,
): Promise<Figures> {
  const startedAt = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const forgotten = whenThisProcessEnds(remove);
  try {
    const measuring = new Run(folder, quick ? quickPace : fullPace, progress);
    await measuring.all(wanted);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    const cores = cpus();
    return {
      date: new Date().toISOString().slice(0, 10),
      quick,
      seconds,
      machine: {
        node: process.version,
        cpu: cores[0]?.model.trim() ?? "unknown",
        cores: cores.length,
        platform: process.platform,
      },
      versions,
      ...measuring.figures(),
    };
  } finally {
    forgotten();
    remove();
  }
}

class Run {
  readonly #folder: string;
  readonly #pace: Pace;
  readonly #progress: Progress;
  readonly #subjects: readonly Subject[];
  readonly #tls = new Set<string>();
  readonly #load: LoadSample[] = [];
  readonly #bytes: (BytesResult & { subject: string })[] = [];
  readonly #starts: { subject: string; ms: number }[] = [];
  readonly #memory: MemorySample[] = [];
  readonly #failures: string[] = [];
  #logs = 0;

  constructor(folder: string, pace: Pace, progress: Progress) {
    this.#folder = folder;
    this.#pace = pace;
    this.#progress = progress;
    this.#subjects = listSubjects(folder);
  }

  figures(): Pick<Figures, "subjects" | "load" | "bytes" | "starts" | "memory" | "failures"> {
    return {
      subjects: this.#subjects.map(({ name, isStep }) => ({
        name,
        isStep,
        tls: this.#tls.has(name),
      })),
      load: this.#load,
      bytes: this.#bytes,
      starts: this.#starts,
      memory: this.#memory,
      failures: this.#failures,
    };
  }

  async all(wanted: ReadonlySet<Part>): Promise<void> {
    const loads = workloads.filter((workload) => wanted.has(workload));
    const bytes = wanted.has("bytes");
    const lives = loads.length > 0 ? this.#pace.lives : Number(bytes);
    const end = performance.now() + MAX_LOAD_MS;
    for (let life = 0; life < lives && performance.now() < end; life++) {
      await this.#underLoad(loads, bytes && life === 0, life * this.#pace.rounds);
    }
    await this.#watched(wanted.has("watchers"), wanted.has("slow-reader"));
    if (wanted.has("start-up")) await this.#startUps();
  }

  /** All servers run side by side, and one at a time has work: the others only wait. */
  async #underLoad(loads: readonly Workload[], bytes: boolean, firstRound: number): Promise<void> {
    const servers: Running[] = [];
    const generator = this.#generator();
    try {
      for (const subject of this.#subjects) {
        if (!bytes && !subject.offers.some((offer) => loads.includes(offer))) continue;
        this.#progress(`starting ${subject.name}`);
        await this.#attempt(`${subject.name} did not start`, async () => {
          const server = await startSubject(subject, this.#log());
          servers.push(server);
          if (server.target.caFile !== undefined) this.#tls.add(subject.name);
        });
      }
      // The load generator must be warm too, before it measures the first server.
      const bare = servers.find(({ subject }) => subject.name === BARE);
      if (bare !== undefined && loads.length > 0) await this.#measure(generator, bare, "unary", 0);

      for (let round = firstRound; round < firstRound + this.#pace.rounds; round++) {
        for (const workload of loads) {
          const able = servers.filter(({ subject }) => subject.offers.includes(workload));
          // Each round begins with another one, so that nobody is always first or always last.
          const first = round % Math.max(able.length, 1);
          for (const server of [...able.slice(first), ...able.slice(0, first)]) {
            const what = `round ${round + 1} of ${this.#pace.lives * this.#pace.rounds}, ${workload}`;
            this.#progress(`${what}: ${server.subject.name}`);
            await this.#attempt(`${workload}, ${server.subject.name}`, async () => {
              this.#load.push(await this.#measure(generator, server, workload, round));
            });
          }
        }
      }
      for (const { subject, target } of bytes ? servers : []) {
        this.#progress(`bytes: ${subject.name}`);
        await this.#attempt(`bytes, ${subject.name}`, async () => {
          const job = { kind: "bytes", target } as const;
          const result = await generator.perform<BytesResult>(job, JOB_MS);
          this.#bytes.push({ subject: subject.name, ...result });
        });
      }
    } finally {
      await Promise.all(
        [generator, ...servers.map(({ process }) => process)].map((it) => it.stop()),
      );
    }
  }

  async #measure(
    generator: Process,
    { process, subject, target }: Running,
    workload: Workload,
    round: number,
  ): Promise<LoadSample> {
    const { firstWarmUp, firstWarmUpMessages, warmUp, measure } = this.#pace;
    const first = round % this.#pace.rounds === 0; // Node.js has compiled little of what will run.
    const warmUpMs = first ? firstWarmUp : warmUp;
    const warmUpMessages = first ? firstWarmUpMessages : Number.MAX_SAFE_INTEGER;
    let before: Promise<Gauge> | undefined;
    const result = await generator.perform<LoadResult>(
      { kind: "load", target, workload, warmUpMessages, warmUpMs, measureMs: measure },
      warmUpMs + measure + JOB_MS,
      () => {
        before = process.gauge();
      },
    );
    const [begin, end] = [await before, await process.gauge()];
    if (begin === undefined) throw new Error("the load generator never began");
    // The two readings are a little further apart than the window: take the share of it.
    const busy = (end.cpuUs - begin.cpuUs) / (end.atMs - begin.atMs);
    const serverCpuUs = busy * result.seconds * 1000;
    const rssMiB = end.rssBytes / MIB;
    return { subject: subject.name, workload, round, ...result, serverCpuUs, rssMiB };
  }

  /** Memory under many watchers and under readers that do not read, each on a server of its own. */
  async #watched(watchers: boolean, slow: boolean): Promise<void> {
    const newest = this.#subjects.findLast(({ isStep }) => isStep);
    const bare = this.#subjects.find(({ name }) => name === BARE);
    if (newest === undefined || bare === undefined) return;
    const scenarios = [
      ...(watchers ? [newest, bare].map((subject) => this.#watch("watchers", subject)) : []),
      ...(slow
        ? [newest, bare, carelessSubject(bare)].map((subject) =>
            this.#watch("slow-reader", subject),
          )
        : []),
    ];
    if (scenarios.length > 0) {
      const { level, growth } = this.#pace;
      this.#progress(`watchers and slow readers, ${(level + growth) / 1000} s`);
    }
    await Promise.all(scenarios);
  }

  async #watch(scenario: MemorySample["scenario"], subject: Subject): Promise<void> {
    await this.#attempt(`${scenario}, ${subject.name}`, async () => {
      const reading = scenario === "watchers";
      const watches = reading ? WATCHERS : SLOW_READERS;
      const till = { TILL_MS: reading ? "100" : "5" };
      const { process, target } = await startSubject(subject, this.#log(), till);
      const generator = this.#generator();
      try {
        const idle = await process.gauge();
        await generator.perform({ kind: "watch", target, count: watches, reading }, JOB_MS);
        const level = await this.#highest(process, this.#pace.level);
        const later = await this.#highest(process, this.#pace.growth);
        this.#memory.push({
          subject: subject.name,
          scenario,
          watches,
          idleMiB: idle.rssBytes / MIB,
          levelMiB: level,
          growthMiB: later - level,
          levelSeconds: this.#pace.level / 1000,
          growthSeconds: this.#pace.growth / 1000,
        });
      } finally {
        await Promise.all([generator.stop(), process.stop()]);
      }
    });
  }

  /** The most memory that a server has in the next `ms` milliseconds, in MiB. */
  async #highest(process: Process, ms: number): Promise<number> {
    const end = performance.now() + ms;
    let highest = 0;
    while (performance.now() < end) {
      await wait(GAUGE_EVERY_MS);
      highest = Math.max(highest, (await process.gauge()).rssBytes / MIB);
    }
    return highest;
  }

  async #startUps(): Promise<void> {
    for (let round = 0; round < this.#pace.starts; round++) {
      for (const subject of this.#subjects) {
        if (!subject.isStep && subject.name !== BARE) continue;
        this.#progress(`start ${round + 1} of ${this.#pace.starts}: ${subject.name}`);
        await this.#attempt(`start-up, ${subject.name}`, async () => {
          this.#starts.push({ subject: subject.name, ms: await this.#startUp(subject) });
        });
      }
    }
  }

  /** From the command that a person types to the line that says listening. */
  async #startUp({ file, env }: Subject): Promise<number> {
    const npx = globalThis.process.env.npm_execpath?.replace(/npm-cli\.js$/, "npx-cli.js");
    const command = npx?.endsWith("npx-cli.js") ? [process.execPath, npx] : ["npx"];
    const [program = "npx", ...args] = [...command, "tsx", file];
    const startedAt = performance.now();
    const server = new Program({ file: program, args, cwd: courseRoot, env: ownEnvironment(env) });
    try {
      const listening = () => /^listening on /m.test(server.output());
      const ready = await server.until(listening, START_MS);
      if (!ready) throw new Error(server.lines().at(-1) ?? "it printed nothing");
      return performance.now() - startedAt;
    } finally {
      await server.stop();
    }
  }

  #generator(): Process {
    return new Process(here("load", "load.ts"), {}, this.#log());
  }

  #log(): string {
    return join(this.#folder, `${this.#logs++}.log`);
  }

  /** One thing that fails does not cost the whole run. */
  async #attempt(what: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#failures.push(`${what}: ${error instanceof Error ? error.message : error}`);
    }
  }
}
