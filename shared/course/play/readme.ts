// Parses a README into parts: prose to read, transcripts to run, quotations and edits of files.

import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Code, Nodes } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { chooseSteps } from "../steps.ts";
import { type Act, parseTranscript } from "./transcript.ts";

/** A piece of a README. */
export type Part = Place & Content;

interface Place {
  /** Its first line, from 1. */
  readonly line: number;
  /** The heading of depth 2 above it, or the title. */
  readonly section: string;
  /** The number of its exercise, 0 before the first one; undefined outside "Your turn". */
  readonly exercise: number | undefined;
  /** The summary of the <details> around it; undefined if there is none. */
  readonly folded: string | undefined;
}

type Content =
  | { readonly kind: "heading"; readonly depth: number; readonly text: string }
  | { readonly kind: "prose"; readonly text: string }
  | {
      readonly kind: "transcript";
      /** The name of a terminal that stays open; undefined for one that is used only here. */
      readonly terminal: string | undefined;
      readonly acts: readonly Act[];
      readonly text: string;
    }
  | {
      readonly kind: "quote";
      readonly language: string;
      /** The quoted file, relative to the README; undefined if the block does not name one. */
      readonly file: string | undefined;
      readonly text: string;
    }
  | {
      readonly kind: "edit";
      /** The file to edit, relative to the README. */
      readonly file: string;
      /** Lines with their marker: "-" to remove, "+" to add, " " to keep. */
      readonly lines: readonly string[];
    }
  // A diagram, or text that is neither run nor part of a file.
  | { readonly kind: "figure"; readonly language: string; readonly text: string };

export interface Readme {
  /** The file, relative to the course's root, with forward slashes. */
  readonly file: string;
  /** The first heading: `Step 01: …`. */
  readonly title: string;
  readonly parts: readonly Part[];
}

/** The section with the exercises: its commands are their checks, and its edits are their solutions. */
export const EXERCISES = "Your turn";

/** Languages of blocks that quote a file of the course. */
const quotedLanguages = new Set(["ts", "proto", "yaml", "json"]);

/** Reads the READMEs of the named steps (see chooseSteps). If none is named, reads all and the course's. */
export function listReadmes(root: string, steps: readonly string[]): Readme[] {
  const files = chooseSteps(steps, root).map(({ name }) => `${name}/README.md`);
  if (steps.length === 0 && existsSync(join(root, "README.md"))) files.unshift("README.md");
  return files.map((file) => parseReadme(file, readFileSync(join(root, file), "utf8")));
}

/**
 * Reads the text of a README.
 * @param file its path, relative to the root of the course.
 * @throws {Error} with the line of a block that the engine would neither run nor check.
 */
export function parseReadme(file: string, source: string): Readme {
  const parts: Part[] = [];
  let section = "";
  let exercise: number | undefined;
  let folded: string | undefined;
  for (const node of fromMarkdown(source).children) {
    const line = node.position?.start.line ?? 1;
    const text = source.slice(node.position?.start.offset, node.position?.end.offset);
    const content = readNode(node, text, `${file}:${line}`, line);
    if (content.kind === "heading" && content.depth <= 2) {
      section = content.text;
      exercise = section === EXERCISES ? 0 : undefined;
    } else if (content.kind === "heading" && exercise !== undefined) exercise++;
    if (text.startsWith("<details>")) [, folded = ""] = /<summary>(.*)<\/summary>/.exec(text) ?? [];
    parts.push({ line, section, exercise, folded, ...content });
    if (text === "</details>") folded = undefined;
  }
  const heading = parts.find((part) => part.kind === "heading");
  const title = heading?.kind === "heading" ? heading.text : basename(dirname(file));
  return { file, title, parts };
}

/**
 * Returns the caption required above a block, because rendered Markdown hides what follows the three
 * backticks; undefined for a part that needs none.
 */
export function captionOf(part: Content): string | undefined {
  if (part.kind === "transcript") return part.terminal && `**Terminal \`${part.terminal}\`**`;
  const file = part.kind === "quote" || part.kind === "edit" ? part.file : undefined;
  return file && `**\`${file}\`**`;
}

/** Returns true if a part is the caption of a block and nothing else. */
export function isCaption(part: Content | undefined): boolean {
  return part?.kind === "prose" && /^\*\*(Terminal )?`[^`]+`\*\*$/.test(part.text);
}

function readNode(node: Nodes, text: string, place: string, line: number): Content {
  if (node.type === "code") return readBlock(node, place, line);
  if (node.type === "heading") {
    return { kind: "heading", depth: node.depth, text: text.replace(/^#+\s*/, "") };
  }
  if (holdsCode(node)) {
    throw new Error(`${place}: a code block inside a list or a quotation is not checked`);
  }
  if (text.startsWith("<details>") && !text.endsWith("</summary>")) {
    throw new Error(`${place}: <details> needs <summary>…</summary>, and then an empty line`);
  }
  return { kind: "prose", text };
}

function readBlock(node: Code, place: string, line: number): Content {
  const [language = "", argument] = [node.lang ?? "", node.meta?.trim() || undefined];
  if (language === "console") {
    const acts = parseTranscript(node.value, line + 1);
    if (argument === undefined && acts.some((act) => act.kind === "look")) {
      throw new Error(`${place}: a console block begins with "$ " unless it names a terminal`);
    }
    return { kind: "transcript", terminal: argument, acts, text: node.value };
  }
  if (language === "diff") {
    const lines = node.value.split("\n");
    if (argument === undefined || !lines.every((text) => /^[-+ ]|^$/.test(text))) {
      throw new Error(
        `${place}: a diff block names its file, and its lines begin with -, + or space`,
      );
    }
    return { kind: "edit", file: argument, lines };
  }
  if (quotedLanguages.has(language)) {
    return { kind: "quote", language, file: argument, text: node.value };
  }
  return { kind: "figure", language, text: node.value };
}

function holdsCode(node: Nodes): boolean {
  if (node.type === "code") return true;
  return "children" in node && node.children.some(holdsCode);
}
