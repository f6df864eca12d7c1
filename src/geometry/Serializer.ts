import type { OctreeLevel } from "./octree.js";
import { borrowMissingSlots, patchLayout, type PatchLayout, writeInverse } from "./patches.js";
import { withRoom } from "./scratch.js";
import { SPACE_FILLING_CURVES, type SpaceFillingCurve } from "./spaceFillingCurve.js";
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
  /** Orders of two consecutive levels, for levels that are no table, and the curve's states along both. */
  #order = new Int32Array(0);
  #nextOrder = new Int32Array(0);
  #states = new Uint8Array(0);
  #nextStates = new Uint8Array(0);

  constructor(config: Pick<GeometryConfig, "orders" | "stages">) {
    this.#config = config;
    const lowest = config.stages.findIndex((stage) => stage.patchSize > 0);
    this.#lowestStage = lowest === -1 ? config.stages.length : lowest;
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
        patchCount: layout.patchCount,
        patchSize: layout.patchSize,
        order: arena.int32(`order_${stage}`, orders.length * layout.slotCount),
        inverse: arena.int32(`inverse_${stage}`, orders.length * voxelCount),
      };
    });
    if (this.#lowestStage === stages.length) return serializations;
    for (const [index, order] of orders.entries()) {
      this.#walk(levels, depth, SPACE_FILLING_CURVES[order], index, serializations);
    }
    return serializations;
  }

  /** Writes the rows of one curve in the tables of all stages. */
  #walk(
    levels: readonly OctreeLevel[],
    depth: number,
    curve: SpaceFillingCurve,
    curveIndex: number,
    serializations: readonly (Serialization | undefined)[],
  ): void {
    const isIdentity = curve === SPACE_FILLING_CURVES.z;
    let previous: Int32Array | undefined;
    for (let level = levels.length - 1; level >= this.#lowestStage; level--) {
      const { voxelCount } = levels[level]!;
      const serialization = serializations[level];
      const row = serialization === undefined ? undefined : orderRow(serialization, curveIndex);
      const order = row ?? this.#scratchOrder(voxelCount);
      this.#nextStates = withRoom(this.#nextStates, voxelCount + 8);
      if (isIdentity) {
        for (let voxel = 0; voxel < voxelCount; voxel++) order[voxel] = voxel;
      } else if (previous === undefined || level >= depth) {
        // At most one voxel: the octree's root, or a level above it.
        order.fill(0, 0, voxelCount);
        this.#nextStates.fill(curve.startState, 0, voxelCount);
      } else {
        descend(curve, levels[level + 1]!, voxelCount, previous, this.#states, order, this.#nextStates);
      }
      [this.#states, this.#nextStates] = [this.#nextStates, this.#states];
      previous = order;
      if (serialization !== undefined && row !== undefined)
        finishRow(serialization, row, voxelCount, curveIndex);
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
 * @param voxelCount voxels of the finer level
 * @param order the finer level's voxels along the curve, with the curve's state inside each
 */
function descend(
  curve: SpaceFillingCurve,
  coarse: OctreeLevel,
  voxelCount: number,
  coarseOrder: Int32Array,
  coarseStates: Uint8Array,
  order: Int32Array,
  states: Uint8Array,
): void {
  const { octantAt, stateAt } = curve;
  const { children, firstChild, voxelCount: coarseCount } = coarse;
  let count = 0;
  for (let i = 0; i < coarseCount; i++) {
    const voxel = coarseOrder[i]!;
    const stateRow = 8 * coarseStates[i]!;
    const end = count + firstChild[voxel + 1]! - firstChild[voxel]!;
    for (let visit = stateRow; count < end; visit++) {
      const child = children[8 * voxel + octantAt[visit]!]!;
      if (child === voxelCount) continue;
      order[count] = child;
      states[count] = stateAt[visit]!;
      count++;
    }
  }
}

function orderRow(serialization: Serialization, curveIndex: number): Int32Array {
  const slotCount = serialization.patchCount * serialization.patchSize;
  return serialization.order.subarray(curveIndex * slotCount, (curveIndex + 1) * slotCount);
}

function finishRow(
  serialization: Serialization,
  row: Int32Array,
  voxelCount: number,
  curveIndex: number,
): void {
  const { patchCount, patchSize, inverse } = serialization;
  const layout: PatchLayout = { patchCount, patchSize, slotCount: row.length };
  borrowMissingSlots(row, voxelCount, layout);
  writeInverse(row, voxelCount, inverse.subarray(curveIndex * voxelCount, (curveIndex + 1) * voxelCount));
}
