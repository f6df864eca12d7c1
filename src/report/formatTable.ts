import Table from "cli-table3";

/** A plain-text table without colours, for terminals and logs; numbers are right-aligned. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const isNumeric = head.map((_, column) => rows.every((row) => /^[-\d.,% ]*$/.test(row[column] ?? "")));
  const table = new Table({
    head: [...head],
    colAligns: isNumeric.map((numeric) => (numeric ? "right" : "left")),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}
