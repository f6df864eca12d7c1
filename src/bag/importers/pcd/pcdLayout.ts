import type { PcdField } from "./pcdHeader.js";

export interface PcdLayout {
  /** Bytes of a point. */
  readonly pointStep: number;
  /** Byte of each field in a point. */
  readonly offsets: readonly number[];
  /** The first field that cannot be where COUNT puts it; undefined in a sound header. */
  readonly misplaced: string | undefined;
}

/** PCL's name for bytes between fields. */
export const PADDING = "_";

/**
 * Where the fields of a binary point are: one behind the other, COUNT elements of SIZE bytes each.
 *
 * Writers that save C++ structs with their padding have written wrong counts of padding bytes that only sum up to the
 * size of the struct. It shows as a field that is not aligned to its size, which no struct has; from that field on
 * fields are placed as a C++ compiler places them.
 */
export function pcdLayout(fields: readonly PcdField[]): PcdLayout {
  const offsets: number[] = [];
  let pointStep = 0;
  for (const { size, count } of fields) {
    offsets.push(pointStep);
    pointStep += size * count;
  }
  const isStruct = fields.some(({ name }) => name === PADDING);
  const first = fields.findIndex(({ name, size }, i) => name !== PADDING && offsets[i]! % size !== 0);
  if (!isStruct || first === -1) return { pointStep, offsets, misplaced: undefined };
  const corrected = offsets.slice(0, first);
  const before = fields.findLastIndex(({ name }, i) => i < first && name !== PADDING);
  let end = before === -1 ? 0 : offsets[before]! + fields[before]!.size * fields[before]!.count;
  for (const { name, size, count } of fields.slice(first)) {
    if (name === PADDING) {
      corrected.push(end);
      continue;
    }
    const offset = Math.ceil(end / size) * size;
    corrected.push(offset);
    end = offset + size * count;
  }
  // A struct that does not fit into the points is not what was saved.
  if (end > pointStep) return { pointStep, offsets, misplaced: undefined };
  return { pointStep, offsets: corrected, misplaced: fields[first]!.name };
}
