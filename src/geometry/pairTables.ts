import type { TableArena } from "./TableArena.js";
import type { PairTables } from "./types.js";

/** Names of the tables of docs/graph-contract.md that stand for `neighbors_S` or `stem_neighbors`. */
export function pairNames(
  table: string,
): readonly [source: string, counts: string, slots: string, rest: string, restRow: string] {
  const named = (kind: string): string => table.replace("neighbors", kind);
  return [
    named("pair_source"),
    named("pair_counts"),
    named("pair_slots"),
    named("pair_rest"),
    named("pair_rest_row"),
  ];
}

/**
 * The occupied entries of a neighbour table, without its middle column.
 * @param neighbors [V, columns], V where there is none; columns is odd
 * @param table its name, for the memory of the result
 */
export function pairTables(
  neighbors: Int32Array,
  voxelCount: number,
  columns: number,
  table: string,
  arena: TableArena,
): PairTables {
  const [sourceName, countsName, slotsName, restName, restRowName] = pairNames(table);
  const middle = (columns - 1) / 2;
  const counts = arena.int32(countsName, columns - 1).fill(0);
  // The pairs by row first: the table is read once, and most of it is empty.
  const byRow = arena.int32(`${table} by row`, voxelCount * (columns - 1));
  const columnByRow = new Uint8Array(byRow.length);
  const firstOfRow = new Int32Array(voxelCount + 1);
  /** Rows by their number of pairs. */
  const rows = new Int32Array(columns);
  let total = 0;
  for (let row = 0, at = 0; row < voxelCount; row++) {
    for (let column = 0; column < columns; column++, at++) {
      const neighbor = neighbors[at]!;
      if (neighbor >= voxelCount || column === middle) continue;
      const other = column < middle ? column : column - 1;
      counts[other]!++;
      byRow[total] = neighbor;
      columnByRow[total++] = other;
    }
    firstOfRow[row + 1] = total;
    rows[total - firstOfRow[row]!]!++;
  }
  const { width, restRows, restWidth } = narrowest(rows, voxelCount);
  /** Where the next pair of each column goes. */
  const next = new Int32Array(columns);
  counts.forEach((count, column) => (next[column + 1] = next[column]! + count));
  const source = arena.int32(sourceName, total);
  const slots = arena.int32(slotsName, voxelCount * width).fill(total);
  const rest = arena.int32(restName, Math.max(restRows, 1) * restWidth).fill(total);
  const restRow = arena.int32(restRowName, voxelCount).fill(Math.max(restRows, 1));
  let usedRows = 0;
  for (let row = 0; row < voxelCount; row++) {
    const first = firstOfRow[row]!;
    const end = firstOfRow[row + 1]!;
    const wide = Math.min(end, first + width);
    for (let pair = first, at = row * width; pair < wide; pair++, at++) {
      const slot = next[columnByRow[pair]!]!++;
      source[slot] = byRow[pair]!;
      slots[at] = slot;
    }
    if (wide === end) continue;
    for (let pair = wide, at = usedRows * restWidth; pair < end; pair++, at++) {
      const slot = next[columnByRow[pair]!]!++;
      source[slot] = byRow[pair]!;
      rest[at] = slot;
    }
    restRow[row] = usedRows++;
  }
  return { source, counts, slots, slotWidth: width, rest, restWidth, restRow };
}

/** The width of `slots` with which the fewest entries are read, the least of equals. */
function narrowest(
  rows: Int32Array,
  voxelCount: number,
): { width: number; restRows: number; restWidth: number } {
  let most = rows.length - 1;
  while (most > 1 && rows[most] === 0) most--;
  let best = { width: most, restRows: 0, restWidth: 1 };
  let least = Infinity;
  let wider = voxelCount - rows[0]!;
  for (let width = 1; width <= most; width++) {
    wider -= rows[width]!;
    const read = voxelCount * width + wider * (most - width);
    if (read < least) {
      least = read;
      best = { width, restRows: wider, restWidth: Math.max(1, most - width) };
    }
  }
  return best;
}
