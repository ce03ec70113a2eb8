// Lays out a README's text for a terminal: wraps prose at words, and aligns tables in columns.

import { stripVTControlCharacters } from "node:util";
import { formatColumns } from "../../terminal/output.ts";
import { paint } from "../script.ts";

/** The minimum width of a table's column; a narrower one is hard to read. */
const MIN_COLUMNS = 20;

/** Returns paragraphs, lists and tables of Markdown in lines of at most `width` characters. */
export function layOut(text: string, width: number): string {
  const emphasis = (_: string, strong = "", soft = "") =>
    soft + strong.replace(/\S+/g, (word) => paint("bold", word));
  return text
    .replace(/\*\*([^*]+)\*\*|\*(\w[\w\s-]*)\*/g, emphasis)
    .split(/\n\s*\n/)
    .flatMap((block) => (block.startsWith("|") ? layOutTable(block, width) : items(block, width)))
    .join("\n")
    .trimEnd();
}

/** Returns the lines of a list or a paragraph, and an empty line. */
function items(block: string, width: number): string[] {
  const lines = block.split(/\n(?= *(?:[-*]|\d+\.) )/).flatMap((item) => {
    const [marker = ""] = /^ *(?:(?:[-*]|\d+\.) +)?/.exec(item) ?? [];
    const indent = " ".repeat(marker.length);
    return wrap(item.slice(marker.length), width - marker.length).map(
      (line, at) => (at === 0 ? marker : indent) + line,
    );
  });
  return [...lines, ""];
}

/** Returns a table with its last column wrapped, or placed below the others if there is no room. */
function layOutTable(block: string, width: number): string[] {
  const [head = [], , ...body] = block.split("\n").map((line) =>
    line
      .replace(/^\||\|$/g, "")
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim().replaceAll("\\|", "|")),
  );
  const rows = [head, ...body];
  const columns = formatColumns(rows.map((row) => [...row.slice(0, -1), "|"])).split("\n");
  const indent = columns[0]?.lastIndexOf("|") ?? 0;
  const fits = width - indent >= MIN_COLUMNS;
  const lines = rows.flatMap((row, at) => {
    const left = columns[at]?.slice(0, -1) ?? "";
    const right = wrap(row.at(-1) ?? "", fits ? width - indent : width - 4);
    if (!fits)
      return [
        ...wrap(row.slice(0, -1).filter(Boolean).join(" · "), width),
        ...right.map((line) => `    ${line}`),
      ];
    return right.map((line, index) => (index === 0 ? left : " ".repeat(indent)) + line);
  });
  return [...lines, ""];
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = `${lines.at(-1)} ${word}`.trimStart();
    if (stripVTControlCharacters(longer).length <= width || lines.at(-1) === "")
      lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
