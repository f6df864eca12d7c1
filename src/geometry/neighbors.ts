import type { OctreeLevel } from "./octree.js";

/** Columns of a 3x3x3 table; column 13 is the voxel itself, column 26 - c the offset opposite to c. */
export const COLUMNS_3 = 27;
export const COLUMNS_5 = 125;

const CENTER_3 = 13;

/**
 * The column of the kernel that leads from a voxel in octant a of a coarse voxel to one in octant b of
 * the coarse voxel in 3x3x3 column c, at [(c * 8 + a) * 8 + b]; -1 when the kernel does not reach.
 */
function reach(kernelSize: 3 | 5): Int16Array {
  const radius = (kernelSize - 1) / 2;
  const table = new Int16Array(COLUMNS_3 * 64).fill(-1);
  for (let coarse = 0; coarse < COLUMNS_3; coarse++) {
    const coarseOffset = [Math.floor(coarse / 9) - 1, (Math.floor(coarse / 3) % 3) - 1, (coarse % 3) - 1];
    for (let a = 0; a < 8; a++) {
      for (let b = 0; b < 8; b++) {
        const offset = coarseOffset.map(
          (d, axis) => 2 * d + ((b >> (2 - axis)) & 1) - ((a >> (2 - axis)) & 1),
        );
        if (offset.every((d) => Math.abs(d) <= radius)) {
          table[(coarse * 8 + a) * 8 + b] = offset.reduce((column, d) => column * kernelSize + d + radius, 0);
        }
      }
    }
  }
  return table;
}

const REACH = { 3: reach(3), 5: reach(5) };

/** The table of the octree's root, which has no neighbours. */
export function writeRootNeighbors(root: OctreeLevel, table: Int32Array): void {
  table.fill(root.voxelCount);
  for (let voxel = 0; voxel < root.voxelCount; voxel++) table[COLUMNS_3 * voxel + CENTER_3] = voxel;
}

/**
 * Fills the neighbour table of a level from the 3x3x3 table of the next coarser one.
 *
 * A voxel's neighbours within two cells lie in its parent or in one of the parent's 26 neighbours, so
 * only existing pairs are visited; each pair is met once and written in both directions. The cost
 * follows the occupied neighbours and not the kernel's volume, and there is no search and no hash.
 *
 * @param fineCount voxels of the finer level
 * @param octant [fineCount] octants of the finer level
 * @param coarse the coarser level, whose children are the voxels of the finer one
 * @param coarseNeighbors [coarse.voxelCount, 27]
 * @param table [fineCount, kernelSize^3] is overwritten; fineCount where there is no neighbour
 */
export function writeNeighbors(
  fineCount: number,
  octant: Uint8Array,
  coarse: OctreeLevel,
  coarseNeighbors: Int32Array,
  kernelSize: 3 | 5,
  table: Int32Array,
): void {
  const { firstChild, voxelCount: coarseCount } = coarse;
  const columns = kernelSize === 3 ? COLUMNS_3 : COLUMNS_5;
  const last = columns - 1;
  const center = last >> 1;
  const reached = REACH[kernelSize];
  table.fill(fineCount);
  for (let here = 0; here < coarseCount; here++) {
    const hereStart = firstChild[here]!;
    const hereEnd = firstChild[here + 1]!;
    for (let a = hereStart; a < hereEnd; a++) {
      table[columns * a + center] = a;
      const row = (CENTER_3 * 8 + octant[a]!) * 8;
      for (let b = a + 1; b < hereEnd; b++) {
        const column = reached[row + octant[b]!]!;
        table[columns * a + column] = b;
        table[columns * b + last - column] = a;
      }
    }
    for (let direction = 0; direction < CENTER_3; direction++) {
      const there = coarseNeighbors[COLUMNS_3 * here + direction]!;
      if (there === coarseCount) continue;
      const thereStart = firstChild[there]!;
      const thereEnd = firstChild[there + 1]!;
      for (let a = hereStart; a < hereEnd; a++) {
        const row = (direction * 8 + octant[a]!) * 8;
        for (let b = thereStart; b < thereEnd; b++) {
          const column = reached[row + octant[b]!]!;
          if (column < 0) continue;
          table[columns * a + column] = b;
          table[columns * b + last - column] = a;
        }
      }
    }
  }
}
