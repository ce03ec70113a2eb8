// The measured part of this folder's README: diagrams, sentences and tables from the figures of a run.

import {
  BARE,
  BARE_TLS,
  CARELESS,
  cpuOf,
  type Figures,
  limitOf,
  REST,
  rateOf,
  ratioOf,
  stepsOf,
} from "./figures.ts";
import type { Workload } from "./jobs.ts";
import { count, tablesOf, toMarkdown } from "./tables.ts";
import { judge } from "./verdict.ts";

const BEGIN = "<!-- measured: from here on `npm run bench -- --report` writes -->";
const END = "<!-- measured: to here -->";

/**
 * Puts the figures of a run in the place of those that stand in the README.
 * @throws {Error} if the README has no place for them.
 */
export function putReport(readme: string, figures: Figures): string {
  const [from, to] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`the README lacks the lines ${BEGIN} and ${END}`);
  const measured = [BEGIN, measuredPart(figures), ""].join("\n\n").trimEnd();
  return `${readme.slice(0, from)}${measured}\n\n${readme.slice(to)}`;
}

function measuredPart(figures: Figures): string {
  const { date, quick, seconds, machine, versions } = figures;
  const kind = quick ? "a quick run, good for a first look only" : "a full run";
  const compared = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `Measured on ${date} in ${Math.round(seconds / 60)} minutes (${kind}), with Node.js ` +
      `${machine.node} on ${machine.platform}, ${machine.cores} cores of ${machine.cpu}. ` +
      `${compared.join(", ")}.`,
    "### In words",
    sentences(figures)
      .map((sentence) => `- ${sentence}`)
      .join("\n"),
    "### Targets",
    verdictTable(figures),
    "### Charts",
    chart(figures, "unary", "Unary calls a second"),
    chart(figures, "bidi", "Pings answered a second in bidirectional streams"),
    ...tablesOf(figures).map(toMarkdown),
    ...figures.failures.map((failure) => `Not measured: ${failure}.`),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function verdictTable(figures: Figures): string {
  const rows = judge(figures).map(
    ({ met, target, found }) => `| ${met ? "met" : "**missed**"} | ${target} | ${found} |`,
  );
  return ["| | Target | Found |", "| --- | --- | --- |", ...rows].join("\n");
}

function chart(figures: Figures, workload: Workload, title: string): string {
  const bars = figures.subjects.flatMap(({ name }) => {
    const rate = rateOf(figures, workload, name);
    return rate === undefined ? [] : [{ label: name.replace(/^(step-\d\d)-.*/, "$1"), rate }];
  });
  if (bars.length === 0) return "";
  return [
    "```mermaid",
    "xychart-beta horizontal",
    `  title "${title}"`,
    `  x-axis [${bars.map(({ label }) => `"${label}"`).join(", ")}]`,
    `  y-axis "per second" 0 --> ${roundUp(Math.max(...bars.map(({ rate }) => rate.median)))}`,
    `  bar [${bars.map(({ rate }) => Math.round(rate.median)).join(", ")}]`,
    "```",
  ].join("\n");
}

/** A round number for the end of an axis. */
function roundUp(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return Math.ceil(value / unit) * unit;
}

/** What the figures say. Each sentence is left out where its figures are missing. */
export function sentences(figures: Figures): string[] {
  return [
    restSentence(figures),
    bothEndsSentence(figures),
    streamSentence(figures),
    tlsSentence(figures),
    ...featureSentences(figures),
    bytesSentence(figures),
    slowReaderSentence(figures),
  ].filter((sentence) => sentence !== "");
}

function restSentence(figures: Figures): string {
  const ratio = ratioOf(figures, "unary", REST, BARE)?.median;
  const [rest, grpc] = [cpuOf(figures, "unary", REST), cpuOf(figures, "unary", BARE)];
  if (ratio === undefined || rest === undefined || grpc === undefined) return "";
  return (
    `**gRPC or REST, the server:** for the same product fastify with JSON answers ` +
    `${times(ratio)} unary calls as bare grpc-js: ${us(rest)} of processor time a call ` +
    `against ${us(grpc)}.`
  );
}

function bothEndsSentence(figures: Figures): string {
  const ratio = ratioOf(figures, "generated-client", REST, BARE)?.median;
  const [rest, grpc] = [REST, BARE].map(
    (name) => rateOf(figures, "generated-client", name)?.median,
  );
  if (ratio === undefined) return "";
  return (
    "**gRPC or REST, both ends:** with the client that a TypeScript program would use, one client " +
    `process gets ${count(grpc)} calls a second over gRPC, and ${count(rest)} over REST, ` +
    `${times(ratio)}. Here the client is what limits.`
  );
}

function streamSentence(figures: Figures): string {
  const unary = cpuOf(figures, "unary", BARE);
  const costs = (["server-stream", "client-stream", "bidi"] as const).map((workload) =>
    cpuOf(figures, workload, BARE),
  );
  const [down, up, both] = costs;
  if (unary === undefined || down === undefined || up === undefined || both === undefined)
    return "";
  return (
    `**What a stream changes:** to bare grpc-js a unary call costs ${us(unary)}, a ping and its ` +
    `answer in a stream that is open ${us(both)}, one message of an upload ${us(up)}, one of ten ` +
    `levels of a short watch ${us(down)}.`
  );
}

function tlsSentence(figures: Figures): string {
  const unary = ratioOf(figures, "unary", BARE_TLS, BARE)?.median;
  if (unary === undefined) return "";
  return `**TLS:** over TLS, bare grpc-js answers ${times(unary)} unary calls as without.`;
}

function featureSentences(figures: Figures): string[] {
  const steps = stepsOf(figures);
  return steps.flatMap((step, at) => {
    const before = steps[at - 1];
    if (before === undefined) return [];
    const ratio = ratioOf(figures, "unary", step, before)?.median;
    const [now, then] = [cpuOf(figures, "unary", step), cpuOf(figures, "unary", before)];
    if (ratio === undefined || now === undefined || then === undefined) return [];
    const change = now - then;
    const cost = `${us(Math.abs(change))} ${change < 0 ? "less" : "more"} processor time a call`;
    const limit = limitOf(figures, step) === limitOf(figures, before) ? "" : ", TLS included";
    return [`**${step}** answers ${times(ratio)} unary calls as ${before}: ${cost}${limit}.`];
  });
}

function bytesSentence(figures: Figures): string {
  const of = (name: string) => figures.bytes.find(({ subject }) => subject === name);
  const [grpc, rest] = [of(BARE), of(REST)];
  if (grpc === undefined || rest === undefined) return "";
  const sum = ({ up, down }: { up: number; down: number }) => up + down;
  return (
    `**Bytes:** one product takes ${sum(grpc.product)} bytes over gRPC, both ways together, and ` +
    `${sum(rest.product)} over REST; ten products ${sum(grpc.list)} and ${sum(rest.list)}.`
  );
}

function slowReaderSentence(figures: Figures): string {
  const growth = (name: string | undefined) =>
    figures.memory.find(({ subject, scenario }) => subject === name && scenario === "slow-reader");
  const newest = stepsOf(figures).at(-1);
  const [ours, careless] = [growth(newest), growth(CARELESS)];
  if (ours === undefined || careless === undefined) return "";
  return (
    `**Slow readers:** while ${ours.watches} clients did not read for ${ours.growthSeconds} s, ` +
    `${newest} grew by ${ours.growthMiB.toFixed(1)} MiB, and a server that writes without waiting ` +
    `by ${careless.growthMiB.toFixed(1)} MiB.`
  );
}

/** `2.7 times as many`, `0.67 times as many` */
function times(ratio: number): string {
  return `${ratio.toFixed(ratio < 2 ? 2 : 1)} times as many`;
}

function us(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} µs`;
}
