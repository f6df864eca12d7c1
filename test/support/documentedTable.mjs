import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export function markdownTable(header, rows) {
  const widths = header.map((title, c) => Math.max(title.length, ...rows.map((row) => row[c].length)));
  const line = (cells) => `| ${cells.map((cell, c) => cell.padEnd(widths[c])).join(" | ")} |\n`;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("");
}

export function documentedTable(document, name, table) {
  const file = fileURLToPath(new URL(`../../${document}`, import.meta.url));
  const text = readFileSync(file, "utf8");
  const [before, after] = [`<!-- ${name}: begin -->\n\n`, `\n<!-- ${name}: end -->`];
  const begin = text.indexOf(before) + before.length;
  const end = text.indexOf(after);
  if (begin < before.length || end < begin) throw new Error(`${document} has no place for ${name}`);
  if (process.env.UPDATE_DOCS !== "1") return text.slice(begin, end);
  writeFileSync(file, text.slice(0, begin) + table + text.slice(end));
  return table;
}
