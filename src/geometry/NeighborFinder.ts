import { KERNEL_REACH, NO_DIRECTION, type KernelReach } from "./kernelReach.js";
import type { OctreeLevel } from "./octree.js";
import { pairTables } from "./pairTables.js";
import type { TableArena } from "./TableArena.js";
import type { GeometryConfig, PairTables } from "./types.js";

export interface NeighborTables {
  /** [V_s, 27] by stage, undefined for a stage that needs none. */
  readonly neighbors: readonly (Int32Array | undefined)[];
  /** [V_0, 125], only with a stem of kernel size 5. */
  readonly stemNeighbors: Int32Array | undefined;
  /** The same as pairs, where they are wanted. */
  readonly pairs: readonly (PairTables | undefined)[];
  readonly stemPairs: PairTables | undefined;
}

/** Pairs of different voxels of one octree level that a kernel joins, each pair once. */
interface VoxelPairs {
  count: number;
  from: Int32Array;
  to: Int32Array;
  /** The kernel's column that leads from one to the other. */
  column: Uint8Array;
}

/** No two coarse voxels have more pairs of children. */
const MOST_PAIRS_OF_CHILDREN = 64;

/**
 * Finds the neighbour tables of all stages, going down the octree.
 *
 * Voxels within two cells of each other have the same or adjacent parents, so the pairs of a level are
 * found among the children of the pairs of the next coarser one. The cost follows the number of
 * neighbours that exist and not the kernel's volume, and nothing is searched for.
 */
export class NeighborFinder {
  readonly #config: Pick<GeometryConfig, "stages" | "stemKernelSize" | "pairs">;
  /** Does the stage have a 3x3x3 table? */
  readonly #hasTable: readonly boolean[];
  /** Lowest level whose 3x3x3 pairs are needed; the number of stages when none are. */
  readonly #lowestLevel: number;
  #pairs = noPairs();
  #finerPairs = noPairs();
  readonly #stemPairs = noPairs();

  constructor(config: Pick<GeometryConfig, "stages" | "stemKernelSize" | "pairs">) {
    this.#config = config;
    this.#hasTable = config.stages.map(
      ({ convolution }, stage) => convolution || (stage === 0 && config.stemKernelSize === 3),
    );
    const lowestTable = this.#hasTable.includes(true) ? this.#hasTable.indexOf(true) : Infinity;
    this.#lowestLevel = config.stemKernelSize === 5 ? Math.min(lowestTable, 1) : lowestTable;
  }

  /** @param levels the scan's octree of at least two levels, the last of which has at most one voxel */
  find(levels: readonly OctreeLevel[], arena: TableArena): NeighborTables {
    const neighbors: (Int32Array | undefined)[] = this.#config.stages.map(() => undefined);
    const pairs: (PairTables | undefined)[] = this.#config.stages.map(() => undefined);
    let stemNeighbors: Int32Array | undefined;
    let stemPairs: PairTables | undefined;
    const wanted = this.#config.pairs === true;
    this.#pairs.count = 0;
    for (let level = levels.length - 1; level >= this.#lowestLevel; level--) {
      const { voxelCount, octant } = levels[level]!;
      if (level + 1 < levels.length) {
        refinePairs(this.#pairs, levels[level + 1]!, octant, KERNEL_REACH[3], this.#finerPairs);
        [this.#pairs, this.#finerPairs] = [this.#finerPairs, this.#pairs];
      }
      if (this.#hasTable[level] === true) {
        const name = `neighbors_${level}`;
        const { columns } = KERNEL_REACH[3];
        const table = arena.int32(name, voxelCount * columns);
        writeTable(this.#pairs, voxelCount, KERNEL_REACH[3], table);
        neighbors[level] = table;
        if (wanted) pairs[level] = pairTables(table, voxelCount, columns, name, arena);
      }
      if (level === 1 && this.#config.stemKernelSize === 5) {
        const stage0 = levels[0]!;
        refinePairs(this.#pairs, levels[1]!, stage0.octant, KERNEL_REACH[5], this.#stemPairs);
        stemNeighbors = arena.int32("stem_neighbors", stage0.voxelCount * KERNEL_REACH[5].columns);
        writeTable(this.#stemPairs, stage0.voxelCount, KERNEL_REACH[5], stemNeighbors);
        if (wanted) {
          const { columns } = KERNEL_REACH[5];
          stemPairs = pairTables(stemNeighbors, stage0.voxelCount, columns, "stem_neighbors", arena);
        }
      }
    }
    return { neighbors, stemNeighbors, pairs, stemPairs };
  }
}

function noPairs(): VoxelPairs {
  return { count: 0, from: new Int32Array(0), to: new Int32Array(0), column: new Uint8Array(0) };
}

/**
 * The pairs of a level from the adjacent pairs of the next coarser one.
 * @param coarsePairs pairs of the coarser level that the kernel of 3 joins
 * @param octant [V] octants of the finer level
 * @param pairs is overwritten
 */
function refinePairs(
  coarsePairs: VoxelPairs,
  coarse: OctreeLevel,
  octant: Uint8Array,
  reach: KernelReach,
  pairs: VoxelPairs,
): void {
  const { hereMask, thereMask, column } = reach;
  const { childMask, firstChild, children, voxelCount: coarseCount } = coarse;
  let { from, to, column: columns } = pairs;
  let count = 0;
  const reserve = (): void => {
    if (from.length >= count + MOST_PAIRS_OF_CHILDREN) return;
    from = grown(from, count);
    to = grown(to, count);
    columns = grown(columns, count);
  };

  for (let voxel = 0; voxel < coarseCount; voxel++) {
    reserve();
    const end = firstChild[voxel + 1]!;
    for (let a = firstChild[voxel]!; a < end; a++) {
      const row = (NO_DIRECTION * 8 + octant[a]!) * 8;
      for (let b = a + 1; b < end; b++) {
        from[count] = a;
        to[count] = b;
        columns[count] = column[row + octant[b]!]!;
        count++;
      }
    }
  }
  for (let pair = 0; pair < coarsePairs.count; pair++) {
    reserve();
    const here = coarsePairs.from[pair]!;
    const there = coarsePairs.to[pair]!;
    const direction = coarsePairs.column[pair]!;
    const childrenThere = childMask[there]!;
    let childrenHere = childMask[here]! & hereMask[direction]!;
    while (childrenHere !== 0) {
      const a = 31 - Math.clz32(childrenHere);
      childrenHere ^= 1 << a;
      const row = direction * 8 + a;
      let reached = childrenThere & thereMask[row]!;
      while (reached !== 0) {
        const b = 31 - Math.clz32(reached);
        reached ^= 1 << b;
        from[count] = children[8 * here + a]!;
        to[count] = children[8 * there + b]!;
        columns[count] = column[8 * row + b]!;
        count++;
      }
    }
  }
  pairs.from = from;
  pairs.to = to;
  pairs.column = columns;
  pairs.count = count;
}

/** A larger copy with room for the pairs of many more voxels. */
function grown<T extends Int32Array | Uint8Array>(array: T, count: number): T {
  const Constructor = array.constructor as new (length: number) => T;
  const larger = new Constructor(2 * count + 16 * MOST_PAIRS_OF_CHILDREN);
  larger.set(array.subarray(0, count));
  return larger;
}

/** @param table [V, reach.columns] is overwritten */
function writeTable(pairs: VoxelPairs, voxelCount: number, reach: KernelReach, table: Int32Array): void {
  const { count, from, to, column } = pairs;
  const { columns } = reach;
  const center = (columns - 1) / 2;
  table.fill(voxelCount);
  for (let voxel = 0; voxel < voxelCount; voxel++) table[columns * voxel + center] = voxel;
  for (let pair = 0; pair < count; pair++) {
    const here = from[pair]!;
    const there = to[pair]!;
    const offset = column[pair]!;
    table[columns * here + offset] = there;
    table[columns * there + columns - 1 - offset] = here;
  }
}
