import { withRoom } from "./scratch.js";
import { TableArena } from "./TableArena.js";

/**
 * One level of the octree over the voxels: level s holds the distinct values of `grid >> s`, in
 * ascending z-order code, so the children of a voxel are consecutive.
 */
export interface OctreeLevel {
  voxelCount: number;
  /** [V, 3] */
  coordinates: Int32Array;
  /** [V] `(x & 1) * 4 + (y & 1) * 2 + (z & 1)`: the place in the parent; has room for more. */
  octant: Uint8Array;
  /** [V] voxel of the next level; not set in the last level. */
  parent: Int32Array;
  /** [V] bit o is set where there is a child in octant o; has room for more; not set in level 0. */
  childMask: Uint8Array;
  /** [V + 1] the children in the level below are firstChild[v] .. firstChild[v + 1] - 1, by ascending octant; likewise. */
  firstChild: Int32Array;
  /** [V, 8] voxels of the level below by octant, that level's V where empty; not set in level 0. */
  children: Int32Array;
}

/**
 * The octree of a scan up to its root. The first `stageCount` levels are the stages of a model; their
 * coordinates, parents and children are tables in the scan's arena, all else is kept here and reused.
 */
export class Octree {
  readonly #stageCount: number;
  readonly #levels: OctreeLevel[] = [];
  #levelsInUse = 0;
  /** Tables of the levels above the stages. */
  readonly #above = new TableArena();

  constructor(stageCount: number) {
    this.#stageCount = stageCount;
  }

  /** The levels of the last build; the last one has one voxel, or none when there are no voxels. */
  get levels(): readonly OctreeLevel[] {
    return this.#levels.slice(0, this.#levelsInUse);
  }

  /**
   * @param coordinates [V, 3] of stage 0 in ascending z-order code
   * @param depth bits of the largest coordinate
   */
  build(coordinates: Int32Array, depth: number, arena: TableArena): void {
    this.#levelsInUse = Math.max(this.#stageCount, depth + 1);
    this.#level(0).coordinates = coordinates;
    this.#level(0).voxelCount = coordinates.length / 3;
    for (let level = 0; level + 1 < this.#levelsInUse; level++) {
      const memory = level + 1 < this.#stageCount ? arena : this.#above;
      coarsen(this.#level(level), this.#level(level + 1), level, memory);
    }
  }

  #level(index: number): OctreeLevel {
    return (this.#levels[index] ??= {
      voxelCount: 0,
      coordinates: new Int32Array(0),
      octant: new Uint8Array(0),
      parent: new Int32Array(0),
      childMask: new Uint8Array(0),
      firstChild: new Int32Array(0),
      children: new Int32Array(0),
    });
  }
}

function coarsen(fine: OctreeLevel, coarse: OctreeLevel, level: number, memory: TableArena): void {
  const { voxelCount, coordinates } = fine;
  const octant = (fine.octant = withRoom(fine.octant, voxelCount));
  const parent = (fine.parent = memory.int32(`parent_${level}`, voxelCount));
  const firstChild = (coarse.firstChild = withRoom(coarse.firstChild, voxelCount + 1));

  let parentCount = 0;
  let previousX = -1;
  let previousY = -1;
  let previousZ = -1;
  for (let voxel = 0; voxel < voxelCount; voxel++) {
    const x = coordinates[3 * voxel]!;
    const y = coordinates[3 * voxel + 1]!;
    const z = coordinates[3 * voxel + 2]!;
    if (((x ^ previousX) | (y ^ previousY) | (z ^ previousZ)) >>> 1 !== 0) firstChild[parentCount++] = voxel;
    parent[voxel] = parentCount - 1;
    octant[voxel] = ((x & 1) << 2) | ((y & 1) << 1) | (z & 1);
    previousX = x;
    previousY = y;
    previousZ = z;
  }
  firstChild[parentCount] = voxelCount;

  coarse.voxelCount = parentCount;
  const coarseCoordinates = (coarse.coordinates = memory.int32(`coordinates_${level + 1}`, parentCount * 3));
  for (let voxel = 0; voxel < parentCount; voxel++) {
    const child = firstChild[voxel]!;
    coarseCoordinates[3 * voxel] = coordinates[3 * child]! >> 1;
    coarseCoordinates[3 * voxel + 1] = coordinates[3 * child + 1]! >> 1;
    coarseCoordinates[3 * voxel + 2] = coordinates[3 * child + 2]! >> 1;
  }
  const children = (coarse.children = memory.int32(`children_${level}`, parentCount * 8));
  children.fill(voxelCount);
  const childMask = (coarse.childMask = withRoom(coarse.childMask, parentCount));
  childMask.fill(0, 0, parentCount);
  for (let voxel = 0; voxel < voxelCount; voxel++) {
    children[8 * parent[voxel]! + octant[voxel]!] = voxel;
    childMask[parent[voxel]!]! |= 1 << octant[voxel]!;
  }
}
