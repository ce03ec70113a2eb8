// Says what a run has found: one table, claims in words, and a line on each step.

import { formatColumns } from "../terminal/output.ts";
import {
  BARE,
  CONNECT,
  type Figure,
  type Figures,
  NICE,
  REST,
  ratioOf,
  type Spread,
  spreadOf,
  withFeatures,
} from "./figures.ts";

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

/** Returns the table as rows of cells, its head first. */
export function tableOf(figures: Figures): string[][] {
  const rows = figures.servers.map((server) => [
    server,
    ...columns.map(([, figure, show]) => {
      const found = spreadOf(figures, server, figure);
      return found === undefined ? "-" : `${show(found.median)} ${range(found, show)}`;
    }),
  ]);
  return [["server", ...columns.map(([title]) => title)], ...rows];
}

/** Returns what the figures say in words. A claim whose figures are missing is left out. */
export function claimsOf(figures: Figures): string[] {
  const step07 = stepsOf(figures).find((name) => name.startsWith("step-07-")) ?? "";
  const [nice, connect] = [withFeatures(NICE), withFeatures(CONNECT)];
  const claims: readonly [title: string, server: string, other: string, figure?: Figure][] = [
    ["gRPC or REST, the server", BARE, REST],
    ["gRPC or REST, both ends", BARE, REST, "callsPerSecond"],
    ["Bare libraries", BARE, NICE],
    ["Bare libraries", BARE, CONNECT],
    ["The same features", step07, nice],
    ["The same features", step07, connect],
    ["The same features, streamed", step07, nice, "messageCpuUs"],
    ["The same features, streamed", step07, connect, "messageCpuUs"],
    ["What the features cost in the steps", step07, BARE],
    ["What the features cost nice-grpc", nice, NICE],
    ["What the features cost connect-node", connect, CONNECT],
  ];
  return [
    streamClaim(figures),
    ...claims.map(([title, server, other, figure]) => {
      const found = compare(figures, server, other, figure);
      return found && `**${title}:** ${found}`;
    }),
  ].filter((claim) => claim !== "");
}

function streamClaim(figures: Figures): string {
  const call = spreadOf(figures, BARE, "unaryCpuUs")?.median;
  const message = spreadOf(figures, BARE, "messageCpuUs")?.median;
  if (call === undefined || message === undefined) return "";
  const cost = `a unary call costs ${us(call)} of CPU, a message in a stream ${us(message)}`;
  return `**Streams:** with ${BARE}, ${cost}: ${count(call / message)} messages for one call.`;
}

/** Holds a figure of two servers against each other; empty if it was not measured. */
function compare(figures: Figures, server: string, other: string, of?: Figure): string {
  const column = columns.find(([, figure]) => figure === (of ?? "unaryCpuUs"));
  if (column === undefined) return "";
  const [title, figure, show] = column;
  const [ours, theirs] = [server, other].map((name) => spreadOf(figures, name, figure)?.median);
  const ratio = ratioOf(figures, server, other, figure);
  if (ours === undefined || theirs === undefined || ratio === undefined) return "";
  const times = `${fixed(ratio.median)} times as much ${range(ratio, fixed)}`;
  return `${title}: ${server} ${show(ours)}, ${other} ${show(theirs)}; ${times}, ${verdictOn(ratio)}.`;
}

/** Returns what the rounds say together: no difference is claimed unless all rounds agree. */
export function verdictOn({ min, max }: Spread): string {
  if (max < 1) return "less in every round";
  return min > 1 ? "more in every round" : "the rounds disagree";
}

/** Returns a heading and a line for each step. The steps' READMEs link to the headings. */
function stepParts(figures: Figures): string[] {
  return stepsOf(figures).flatMap((step, at, steps) => {
    const call = spreadOf(figures, step, "unaryCpuUs")?.median;
    const change = compare(figures, step, steps[at - 1] ?? "");
    const alone = call === undefined ? "not measured." : `CPU per unary call: ${us(call)}.`;
    const link = `[${step}](../../${step}/README.md)`;
    return [`### Step ${step.slice(5, 7)}`, `${link}: ${change === "" ? alone : change}`];
  });
}

/**
 * Puts the figures of a run in the place of those in the README.
 * @throws {Error} if the README has no place for them.
 */
export function putReport(readme: string, figures: Figures): string {
  const [from, to] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`the README lacks the lines ${BEGIN} and ${END}`);
  const { date, quick, rounds, minutes, machine, versions } = figures;
  const kind = quick ? "quick" : "full";
  const compared = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const [head = [], ...rows] = tableOf(figures);
  const rule = head.map((_, column) => (column === 0 ? "---" : "---:"));
  const table = [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  const parts = [
    BEGIN,
    `Measured on ${date} in a ${kind} run: ${rounds} rounds, ${minutes.toFixed(0)} minutes. ` +
      `${machine}. ${compared.join(", ")}.`,
    table.join("\n"),
    ...figures.failures.map((failure) => `Not measured: ${failure}.`),
    "### In words",
    claimsOf(figures)
      .map((claim) => `- ${claim}`)
      .join("\n"),
    ...stepParts(figures),
  ];
  return `${readme.slice(0, from)}${parts.join("\n\n")}\n\n${readme.slice(to)}`;
}

/** Returns the table and the claims for a terminal. */
export function toText(figures: Figures): string {
  const claims = claimsOf(figures).map((claim) => claim.replaceAll("**", ""));
  return [formatColumns(tableOf(figures)), "", ...claims].join("\n");
}

function stepsOf({ servers }: Figures): string[] {
  return servers.filter((name) => name.startsWith("step-"));
}

function fixed(ratio: number): string {
  return ratio.toFixed(2);
}

/** `(0.61-0.70)`, without units. */
function range({ min, max }: Spread, show: (value: number) => string): string {
  const [low, high] = [min, max].map((value) => show(value).split(" ")[0]);
  return `(${low}-${high})`;
}
