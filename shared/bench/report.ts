// Reports the results of a run: one table, claims in words, and a line for each step.

import { type Figure, type Figures, peers, type Spread, spreadOf } from "./figures.ts";

const BEGIN = "<!-- measured: from here on `npm run bench -- --report` writes -->";
const END = "<!-- measured: to here -->";

const us = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} µs`;
const count = (value: number) => Math.round(value).toLocaleString("en-US");
const columns: readonly [title: string, figure: Figure, show: (value: number) => string][] = [
  ["CPU per unary call", "unaryCpuUs", us],
  ["CPU per streamed message", "messageCpuUs", us],
  ["unary calls per second", "callsPerSecond", count],
  ["memory", "memoryMiB", (mib) => `${mib.toFixed(0)} MiB`],
  ["start-up", "startMs", (ms) => `${(ms / 1000).toFixed(2)} s`],
];

/** Returns the table as rows of cells, header first. */
export function tableOf(figures: Figures): string[][] {
  const rows = figures.servers.map((server) => [
    server,
    ...columns.map(([, figure, show]) => {
      const found = spreadOf(figures, server, figure);
      return found === undefined ? "-" : withRange(found, show);
    }),
  ]);
  return [["server", ...columns.map(([title]) => title)], ...rows];
}

/** Returns the claims that the figures support. A claim whose figures are missing is left out. */
export function claimsOf(figures: Figures): string[] {
  const { bare, nice, niceFeatured, connect, connectFeatured, rest } = peers;
  const step = (start: string) => figures.servers.find((name) => name.startsWith(start)) ?? "";
  const step07 = step("step-07");
  const claims: readonly [title: string, server: string, other: string, figure: Figure][] = [
    ["gRPC or REST, the server", bare, rest, "unaryCpuUs"],
    ["gRPC or REST, both ends", bare, rest, "callsPerSecond"],
    ["TLS", step("step-06"), step("step-05"), "unaryCpuUs"],
    ["Bare libraries", bare, nice, "unaryCpuUs"],
    ["Bare libraries", bare, connect, "unaryCpuUs"],
    ["The same features", step07, niceFeatured, "unaryCpuUs"],
    ["The same features", step07, connectFeatured, "unaryCpuUs"],
    ["The same features, streamed", step07, niceFeatured, "messageCpuUs"],
    ["The same features, streamed", step07, connectFeatured, "messageCpuUs"],
    ["What the features cost in the steps", step07, bare, "unaryCpuUs"],
    ["What the features cost nice-grpc", niceFeatured, nice, "unaryCpuUs"],
    ["What the features cost connect-node", connectFeatured, connect, "unaryCpuUs"],
  ];
  const found = claims.map(([title, server, other, figure]) => {
    const words = compare(figures, server, other, figure);
    return words && `**${title}:** ${words}`;
  });
  return [streamClaim(figures), ...found].filter((claim) => claim !== "");
}

function streamClaim(figures: Figures): string {
  const call = spreadOf(figures, peers.bare, "unaryCpuUs")?.median;
  const message = spreadOf(figures, peers.bare, "messageCpuUs")?.median;
  if (call === undefined || message === undefined) return "";
  const cost = `a unary call costs ${us(call)} of CPU, a message in a stream ${us(message)}`;
  return `**Streams:** with ${peers.bare}, ${cost}: ${count(call / message)} messages for one call.`;
}

/** Returns a comparison of two servers by one figure; empty if it was not measured. */
function compare(figures: Figures, server: string, other: string, figure: Figure): string {
  const ratio = spreadOf(figures, server, figure, other);
  const [title, , show] = columns.find((column) => column[1] === figure) ?? [];
  if (ratio === undefined || show === undefined) return "";
  const [ours, theirs] = [server, other].map((name) => {
    const found = spreadOf(figures, name, figure);
    return `${name} ${show(found?.median ?? Number.NaN)}`;
  });
  const times = withRange(ratio, (value) => `${value.toFixed(2)} times as much`);
  return `${title}: ${ours}, ${theirs}; ${times}, ${verdictOn(ratio)}.`;
}

/** Returns the verdict of all rounds. A difference is claimed only if all rounds agree. */
function verdictOn({ min, max }: Spread): string {
  if (min === max) return "in one round only";
  if (max < 1) return "less in every round";
  return min > 1 ? "more in every round" : "the rounds disagree";
}

/** Returns a heading and a line for each step. The steps' READMEs link to the headings. */
function stepParts(figures: Figures): string[] {
  const steps = figures.servers.filter((name) => name.startsWith("step-"));
  return steps.flatMap((step, at) => {
    const change = compare(figures, step, steps[at - 1] ?? peers.bare, "unaryCpuUs");
    const link = `[${step}](../../${step}/README.md)`;
    return [`### Step ${step.slice(5, 7)}`, `${link}: ${change || "not measured."}`];
  });
}

/**
 * Replaces the figures in the README with those of a run.
 * @throws {Error} if the README has no place for them.
 */
export function putReport(readme: string, figures: Figures): string {
  const [from, to] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`the README lacks the lines ${BEGIN} and ${END}`);
  const [head = [], ...rows] = tableOf(figures);
  const rule = head.map((_, column) => (column === 0 ? "---" : "---:"));
  const parts = [
    BEGIN,
    figures.about,
    [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n"),
    ...figures.failures.map((failure) => `Not measured: ${failure}.`),
    claimsOf(figures)
      .map((claim) => `- ${claim}`)
      .join("\n"),
    ...stepParts(figures),
  ];
  return `${readme.slice(0, from)}${parts.join("\n\n")}\n\n${readme.slice(to)}`;
}

/** Returns `92 µs (88-95)`, or `92 µs` if all rounds agree or there is only one. */
function withRange({ median, min, max }: Spread, show: (value: number) => string): string {
  const [low, high] = [min, max].map((value) => show(value).split(" ")[0]);
  return low === high ? show(median) : `${show(median)} (${low}-${high})`;
}
