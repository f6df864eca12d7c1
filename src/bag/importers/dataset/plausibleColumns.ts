/** Whether rows of float32 have the columns that they are taken to have: a wrong number mixes up all of them. */

/** Points that are looked at, about. */
const SAMPLES = 4096;
/** Points in a row; a multiple of 2, 3 and 4. */
const RUN = 12;
/** Neighbours in a scan differ less. */
const UNEVEN = 4;
/** Of damaged points among good ones. */
const TOLERATED_SHARE = 0.02;
/** Metres, which no scanner sees. */
const FARTHEST = 100_000;
const LEAST_COLUMNS = 3;
const MOST_COLUMNS = 10;

/** What a value of a column can be. */
function isPossible(name: string, value: number): boolean {
  switch (name) {
    case "intensity":
      return value >= 0 && value < Infinity;
    case "ring":
      return Number.isInteger(value) && value >= 0 && value < 65_536;
    default:
      // No return is NaN in some files.
      return Number.isNaN(value) || Math.abs(value) <= FARTHEST;
  }
}

/**
 * Can these rows have the columns `names`?
 * @param columns of a row, if others follow behind the named ones
 */
export function isPlausible(data: Uint8Array, names: readonly string[], columns = names.length): boolean {
  const rows = sampledRows(data, columns);
  const impossible = names.map((name, i) => rows.filter((row) => !isPossible(name, row[i]!)).length);
  return impossible.every((count) => count <= TOLERATED_SHARE * rows.length) && isEven(rows);
}

/** Numbers of columns, of which the first are `names`, that the size and the values allow. */
export function columnCounts(data: Uint8Array, names: readonly string[]): readonly number[] {
  const counts = Array.from({ length: MOST_COLUMNS - LEAST_COLUMNS + 1 }, (_, i) => LEAST_COLUMNS + i);
  return counts.filter(
    (count) =>
      data.byteLength > 0 &&
      data.byteLength % (4 * count) === 0 &&
      isPlausible(data, names.slice(0, count), count) &&
      isShaped(sampledRows(data, count)),
  );
}

/** Runs of rows, spread over the file. */
function sampledRows(data: Uint8Array, columns: number): readonly Float64Array[] {
  const values = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const count = Math.floor(data.byteLength / (4 * columns));
  const runs = Math.floor(count / RUN);
  const stride = Math.max(1, Math.floor((runs * RUN) / SAMPLES)) * RUN;
  const rows: Float64Array[] = [];
  for (let run = 0; run < count; run += stride) {
    for (let row = run; row < Math.min(run + RUN, count); row++) {
      rows.push(
        Float64Array.from({ length: columns }, (_, i) => values.getFloat32(4 * (row * columns + i), true)),
      );
    }
  }
  return rows;
}

/**
 * Are rows alike whatever their place? If a point has twice as many columns, every second row is none of a point, and
 * what it has for x or y is of another size.
 */
function isEven(rows: readonly Float64Array[]): boolean {
  if (rows.length < 8 * RUN) return true;
  return [2, 3, 4].every((period) =>
    [0, 1].every((axis) => {
      const sizes = Array.from({ length: period }, (_, phase) =>
        meanSize(
          rows.filter((_row, i) => i % period === phase),
          axis,
        ),
      );
      return Math.max(...sizes) <= UNEVEN * Math.min(...sizes);
    }),
  );
}

/**
 * Do the columns keep their kinds from row to row? With a wrong number of columns, each has something of all, so that
 * they are alike; with the right one, heights vary less than what is ahead and beside.
 */
function isShaped(rows: readonly Float64Array[]): boolean {
  return meanSize(rows, 2) < (meanSize(rows, 0) + meanSize(rows, 1)) / 2;
}

function meanSize(rows: readonly Float64Array[], column: number): number {
  let sum = 0;
  for (const row of rows) if (Number.isFinite(row[column])) sum += Math.abs(row[column]!);
  return sum / rows.length;
}
