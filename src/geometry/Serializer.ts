import type { OctreeLevel } from "./octree.js";
import { borrowMissingSlots, patchLayout, writeInverse } from "./patches.js";
import { withRoom } from "./scratch.js";
import { SPACE_FILLING_CURVES, type ChildVisits, type SpaceFillingCurve } from "./spaceFillingCurve.js";
import type { TableArena } from "./TableArena.js";
import type { GeometryConfig, StageGeometry } from "./types.js";

type Serialization = NonNullable<StageGeometry["serialization"]>;

/**
 * Orders the voxels of every stage along the configured curves.
 *
 * A curve visits the children of a voxel one after the other, so the order of a level follows from
 * that of the next coarser one: the curves are walked down the octree, without codes and sorting.
 */
export class Serializer {
  readonly #config: Pick<GeometryConfig, "orders" | "stages">;
  /** Lowest stage with attention; the number of stages when there is none. */
  readonly #lowestStage: number;
  readonly #curves: readonly SpaceFillingCurve[];
  /** Orders of two consecutive levels, for levels that are no table, and the curve's states along both. */
  #order = new Int32Array(0);
  #nextOrder = new Int32Array(0);
  #states = new Uint8Array(0);
  #nextStates = new Uint8Array(0);

  constructor(config: Pick<GeometryConfig, "orders" | "stages">) {
    this.#config = config;
    const lowest = config.stages.findIndex((stage) => stage.patchSize > 0);
    this.#lowestStage = lowest === -1 ? config.stages.length : lowest;
    this.#curves = config.orders.map((order) => SPACE_FILLING_CURVES[order]);
  }

  /**
   * @param levels the scan's octree
   * @param depth the level at which the curves start
   * @returns the tables of each stage, undefined for a stage without attention
   */
  serialize(
    levels: readonly OctreeLevel[],
    depth: number,
    arena: TableArena,
  ): readonly (Serialization | undefined)[] {
    const { orders, stages } = this.#config;
    const serializations = stages.map(({ patchSize }, stage): Serialization | undefined => {
      if (patchSize === 0) return undefined;
      const { voxelCount } = levels[stage]!;
      const layout = patchLayout(voxelCount, patchSize);
      return {
        ...layout,
        order: arena.int32(`order_${stage}`, orders.length * layout.patchCount * layout.patchSize),
        inverse: arena.int32(`inverse_${stage}`, orders.length * voxelCount),
      };
    });
    if (this.#lowestStage === stages.length) return serializations;
    for (const [index, curve] of this.#curves.entries()) {
      this.#walk(levels, depth, curve, index, serializations);
    }
    return serializations;
  }

  /** Writes the rows of one curve in the tables of all stages. */
  #walk(
    levels: readonly OctreeLevel[],
    depth: number,
    { startState, childVisits }: SpaceFillingCurve,
    curveIndex: number,
    serializations: readonly (Serialization | undefined)[],
  ): void {
    let previous: Int32Array | undefined;
    for (let level = levels.length - 1; level >= this.#lowestStage; level--) {
      const { voxelCount } = levels[level]!;
      const serialization = serializations[level];
      const order =
        serialization === undefined ? this.#scratchOrder(voxelCount) : orderRow(serialization, curveIndex);
      this.#nextStates = withRoom(this.#nextStates, voxelCount);
      if (previous === undefined || level >= depth) {
        // At most one voxel: the octree's root, or a level above it.
        order.fill(0, 0, voxelCount);
        this.#nextStates.fill(startState, 0, voxelCount);
      } else {
        descend(childVisits, levels[level + 1]!, previous, this.#states, order, this.#nextStates);
      }
      [this.#states, this.#nextStates] = [this.#nextStates, this.#states];
      previous = order;
      if (serialization !== undefined) {
        borrowMissingSlots(order, voxelCount, serialization.patchSize);
        writeInverse(order, voxelCount, inverseRow(serialization, curveIndex, voxelCount));
      }
    }
  }

  #scratchOrder(length: number): Int32Array {
    [this.#order, this.#nextOrder] = [withRoom(this.#nextOrder, length), this.#order];
    return this.#order;
  }
}

/**
 * One level down a curve.
 * @param coarse the level that `coarseOrder` and `coarseStates` belong to
 * @param order the finer level's voxels along the curve, with the curve's state inside each
 */
function descend(
  visits: ChildVisits,
  coarse: OctreeLevel,
  coarseOrder: Int32Array,
  coarseStates: Uint8Array,
  order: Int32Array,
  states: Uint8Array,
): void {
  const { rank, state } = visits;
  const { childMask, firstChild, voxelCount: coarseCount } = coarse;
  let count = 0;
  for (let i = 0; i < coarseCount; i++) {
    const voxel = coarseOrder[i]!;
    const first = firstChild[voxel]!;
    const end = count + firstChild[voxel + 1]! - first;
    for (let visit = ((coarseStates[i]! << 8) | childMask[voxel]!) << 3; count < end; visit++) {
      order[count] = first + rank[visit]!;
      states[count] = state[visit]!;
      count++;
    }
  }
}

/** The slots of one curve. */
function orderRow({ patchCount, patchSize, order }: Serialization, curveIndex: number): Int32Array {
  const slotCount = patchCount * patchSize;
  return order.subarray(curveIndex * slotCount, (curveIndex + 1) * slotCount);
}

function inverseRow({ inverse }: Serialization, curveIndex: number, voxelCount: number): Int32Array {
  return inverse.subarray(curveIndex * voxelCount, (curveIndex + 1) * voxelCount);
}
