import { Fault } from "../faults/Fault.js";
import { clampPoints } from "./clampPoints.js";
import { emptyKeyedValues, RadixSorter, reserveKeyedValues } from "./radixSort.js";
import { withRoom } from "./scratch.js";
import type { TableArena } from "./TableArena.js";
import type { GeometryConfig } from "./types.js";
import { codeDepth, MAX_GRID_COORDINATE, zOrderHigh, zOrderLow } from "./zOrder.js";

const AXES = ["x", "y", "z"] as const;

/** Of points that were moved into the range all take part that are numbers. */
const EVERYWHERE: GeometryConfig["pointRange"] = [
  -Infinity,
  -Infinity,
  -Infinity,
  Infinity,
  Infinity,
  Infinity,
];

/** Voxels of stage 0 in ascending z-order code. */
export interface Voxels {
  readonly voxelCount: number;
  /** Bits per axis of the serialization codes. */
  readonly depth: number;
  /** [N] voxel of each point, -1 outside. */
  readonly pointToVoxel: Int32Array;
  /** [V] first point of each voxel. */
  readonly representative: Int32Array;
  /** [V, 3] */
  readonly coordinates: Int32Array;
}

/**
 * Sorts the points of a scan into voxels, in three steps that the caller makes one after the other:
 * `quantize`, `sort`, `unique`.
 *
 * Consecutive points of a spinning LiDAR often fall into the same voxel; such a run is sorted as one entry.
 */
export class VoxelGrid {
  readonly #config: Pick<GeometryConfig, "gridSize" | "pointRange" | "clamp">;
  readonly #sorter = new RadixSorter();
  /** Lowest, then highest coordinates of the points that take part. */
  readonly #bounds = new Float64Array(6);
  /** Points that take part, in scan order. */
  #inside = new Int32Array(0);
  /** Code and index of each run. */
  #runs = emptyKeyedValues();
  #runCount = 0;
  #firstPointOfRun = new Int32Array(0);
  #voxelOfRun = new Int32Array(0);
  /** [runs, 3] */
  #runCoordinates = new Uint16Array(0);
  /** [N, 3] points moved into the range. */
  #clamped = new Float32Array(0);
  #depth = 1;
  #pointToVoxel: Int32Array = new Int32Array(0);

  constructor(config: Pick<GeometryConfig, "gridSize" | "pointRange" | "clamp">) {
    this.#config = config;
  }

  /**
   * Finds the runs of points of one voxel and their codes.
   * @param xyz [N, 3] metres
   * @throws Fault "invalid-configuration" when the scan spans more than 65536 voxels along an axis
   */
  quantize(xyz: Float32Array, pointCount: number, arena: TableArena): void {
    this.#pointToVoxel = arena.int32("point_to_voxel", pointCount);
    this.#inside = withRoom(this.#inside, pointCount);
    const { pointRange, clamp = false } = this.#config;
    let points = xyz;
    if (clamp) {
      points = this.#clamped = withRoom(this.#clamped, 3 * pointCount);
      clampPoints(xyz, pointCount, pointRange, points);
    }
    const insideCount = findPointsInside(
      points,
      pointCount,
      clamp ? EVERYWHERE : pointRange,
      this.#inside,
      this.#pointToVoxel,
      this.#bounds,
    );
    this.#depth = insideCount === 0 ? 1 : codeDepth(this.#maxGridCoordinate());
    reserveKeyedValues(this.#runs, insideCount);
    this.#firstPointOfRun = withRoom(this.#firstPointOfRun, insideCount);
    this.#voxelOfRun = withRoom(this.#voxelOfRun, insideCount);
    this.#runCoordinates = withRoom(this.#runCoordinates, insideCount * 3);
    this.#runCount = this.#findRuns(points, insideCount);
  }

  /** Sorts the runs by code; runs of one voxel stay in scan order. */
  sort(): void {
    this.#runs = this.#sorter.sort(this.#runs, this.#runCount, 3 * this.#depth);
  }

  /** Numbers the voxels and writes their tables. */
  unique(arena: TableArena): Voxels {
    const { high, low, value } = this.#runs;
    const voxelOfRun = this.#voxelOfRun;
    const runCount = this.#runCount;
    let voxelCount = 0;
    for (let i = 0; i < runCount; i++) {
      if (i === 0 || low[i] !== low[i - 1] || high[i] !== high[i - 1]) voxelCount++;
      voxelOfRun[value[i]!] = voxelCount - 1;
    }
    const representative = arena.int32("representative", voxelCount);
    const coordinates = arena.int32("coordinates_0", voxelCount * 3);
    const firstPointOfRun = this.#firstPointOfRun;
    const runCoordinates = this.#runCoordinates;
    let previous = -1;
    for (let i = 0; i < runCount; i++) {
      const run = value[i]!;
      const voxel = voxelOfRun[run]!;
      if (voxel === previous) continue;
      previous = voxel;
      representative[voxel] = firstPointOfRun[run]!;
      coordinates[3 * voxel] = runCoordinates[3 * run]!;
      coordinates[3 * voxel + 1] = runCoordinates[3 * run + 1]!;
      coordinates[3 * voxel + 2] = runCoordinates[3 * run + 2]!;
    }
    const pointToVoxel = this.#pointToVoxel;
    for (let point = 0; point < pointToVoxel.length; point++) {
      const run = pointToVoxel[point]!;
      if (run >= 0) pointToVoxel[point] = voxelOfRun[run]!;
    }
    return { voxelCount, depth: this.#depth, pointToVoxel, representative, coordinates };
  }

  #maxGridCoordinate(): number {
    const { gridSize } = this.#config;
    let largest = 0;
    for (const [axis, name] of AXES.entries()) {
      const last = Math.floor((this.#bounds[axis + 3]! - this.#bounds[axis]!) / gridSize);
      if (last > MAX_GRID_COORDINATE) {
        throw new Fault(
          "invalid-configuration",
          `The scan spans ${last + 1} voxels of gridSize ${gridSize} m along ${name}, but at most ` +
            `${MAX_GRID_COORDINATE + 1} are possible: narrow pointRange or choose a larger gridSize.`,
        );
      }
      largest = Math.max(largest, last);
    }
    return largest;
  }

  /** Writes the runs, and for each point inside the run that it belongs to; returns their number. */
  #findRuns(xyz: Float32Array, insideCount: number): number {
    const { gridSize } = this.#config;
    const minX = this.#bounds[0]!;
    const minY = this.#bounds[1]!;
    const minZ = this.#bounds[2]!;
    const { high, low, value } = this.#runs;
    const inside = this.#inside;
    const firstPointOfRun = this.#firstPointOfRun;
    const runCoordinates = this.#runCoordinates;
    const runOfPoint = this.#pointToVoxel;
    let run = -1;
    let runX = -1;
    let runY = -1;
    let runZ = -1;
    for (let i = 0; i < insideCount; i++) {
      const point = inside[i]!;
      // Not negative, so the truncation of `| 0` is floor; a product with 1 / gridSize would round differently.
      const x = ((xyz[3 * point]! - minX) / gridSize) | 0;
      const y = ((xyz[3 * point + 1]! - minY) / gridSize) | 0;
      const z = ((xyz[3 * point + 2]! - minZ) / gridSize) | 0;
      if (x !== runX || y !== runY || z !== runZ) {
        run++;
        runX = runCoordinates[3 * run] = x;
        runY = runCoordinates[3 * run + 1] = y;
        runZ = runCoordinates[3 * run + 2] = z;
        high[run] = zOrderHigh(x, y, z);
        low[run] = zOrderLow(x, y, z);
        value[run] = run;
        firstPointOfRun[run] = point;
      }
      runOfPoint[point] = run;
    }
    return run + 1;
  }
}

/** Lists the points that take part, sets -1 for the others, and writes the bounds; returns their number. */
function findPointsInside(
  xyz: Float32Array,
  pointCount: number,
  pointRange: GeometryConfig["pointRange"],
  inside: Int32Array,
  pointToVoxel: Int32Array,
  bounds: Float64Array,
): number {
  const [lowX, lowY, lowZ, highX, highY, highZ] = pointRange;
  let minX = Infinity;
  let minY = Infinity;
  let minZ = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  let maxZ = -Infinity;
  let count = 0;
  for (let point = 0; point < pointCount; point++) {
    const x = xyz[3 * point]!;
    const y = xyz[3 * point + 1]!;
    const z = xyz[3 * point + 2]!;
    // NaN compares false, and the range is finite.
    if (!(x >= lowX && x < highX && y >= lowY && y < highY && z >= lowZ && z < highZ)) {
      pointToVoxel[point] = -1;
      continue;
    }
    inside[count++] = point;
    if (x < minX) minX = x;
    if (x > maxX) maxX = x;
    if (y < minY) minY = y;
    if (y > maxY) maxY = y;
    if (z < minZ) minZ = z;
    if (z > maxZ) maxZ = z;
  }
  bounds.set([minX, minY, minZ, maxX, maxY, maxZ]);
  return count;
}
