import Table from "cli-table3";

/** What the borders of a column add to its text: a line and a space on each side. */
const BORDER = 3;

export interface TableOptions {
  /** Columns of characters that the table may have; the last column's text is broken into lines for it. */
  readonly width?: number;
}

/** A plain-text table without colours, for terminals and logs; numbers are right-aligned. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { width }: TableOptions = {},
): string {
  const isNumeric = head.map((_, column) => rows.every((row) => /^[-\d.,% ]*$/.test(row[column] ?? "")));
  const table = new Table({
    head: [...head],
    colAligns: isNumeric.map((numeric) => (numeric ? "right" : "left")),
    style: { head: [], border: [], compact: true },
  });
  const room = width === undefined ? Infinity : roomOfLast(head, rows, width);
  table.push(
    ...rows.map((row) =>
      row.map((text, column) => (column === head.length - 1 ? brokenAt(room, text).join("\n") : text)),
    ),
  );
  return table.toString();
}

/** Characters that are left for the last column. */
function roomOfLast(head: readonly string[], rows: readonly (readonly string[])[], width: number): number {
  const others = head
    .slice(0, -1)
    .map((name, column) => Math.max(name.length, ...rows.map((row) => (row[column] ?? "").length)) + BORDER);
  return Math.max(1, width - others.reduce((sum, each) => sum + each, 0) - BORDER - 1);
}

/** The text in lines of at most `room` characters, broken at spaces, and within a word that is longer. */
function brokenAt(room: number, text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const lines: string[] = [];
    let current = "";
    for (let word of line.split(" ")) {
      if (current !== "" && current.length + 1 + word.length > room) {
        lines.push(current);
        current = "";
      }
      for (; word.length > room; word = word.slice(room)) lines.push(word.slice(0, room));
      current = current === "" ? word : `${current} ${word}`;
    }
    return [...lines, current];
  });
}
