import { checkGeometryConfig } from "./geometryConfig.js";
import { NeighborFinder } from "./NeighborFinder.js";
import { Octree } from "./octree.js";
import { Serializer } from "./Serializer.js";
import { TableArena } from "./TableArena.js";
import type { GeometryConfig, ScanGeometry, StageGeometry } from "./types.js";
import { VoxelGrid } from "./VoxelGrid.js";

/** The steps of a build, in their order. */
export type GeometryPhase = "quantize" | "sort" | "unique" | "octree" | "neighbors" | "serialization";

export interface BuildOptions {
  /** Memory of the tables; by default one arena of the builder's own, so that the next build voids them. */
  readonly arena?: TableArena;
  /** Called at the end of each step; for measuring. */
  readonly onPhaseEnd?: (phase: GeometryPhase) => void;
}

/**
 * Computes the tables of docs/graph-contract.md for scan after scan. All memory is reused: that of the
 * tables through the arena, all other through the builder.
 */
export class ScanGeometryBuilder {
  readonly #config: GeometryConfig;
  readonly #voxelGrid: VoxelGrid;
  readonly #octree: Octree;
  readonly #neighborFinder: NeighborFinder;
  readonly #serializer: Serializer;
  readonly #ownArena = new TableArena();

  /** @throws Fault "invalid-configuration" */
  constructor(config: GeometryConfig) {
    checkGeometryConfig(config);
    this.#config = config;
    this.#voxelGrid = new VoxelGrid(config);
    this.#octree = new Octree(config.stages.length);
    this.#neighborFinder = new NeighborFinder(config);
    this.#serializer = new Serializer(config);
  }

  /**
   * @param xyz [N, 3] or longer, metres
   * @param pointCount N
   * @returns tables that are valid until the arena is used again
   * @throws Fault "invalid-configuration" when the scan spans more than 65536 voxels along an axis
   * @throws RangeError when xyz is shorter than pointCount says
   */
  build(xyz: Float32Array, pointCount: number, options: BuildOptions = {}): ScanGeometry {
    if (!Number.isInteger(pointCount) || pointCount < 0 || xyz.length < 3 * pointCount) {
      throw new RangeError(`xyz has ${xyz.length} numbers, which are not ${pointCount} points of 3.`);
    }
    const { arena = this.#ownArena, onPhaseEnd } = options;
    this.#voxelGrid.quantize(xyz, pointCount, arena);
    onPhaseEnd?.("quantize");
    this.#voxelGrid.sort();
    onPhaseEnd?.("sort");
    const { depth, pointToVoxel, representative, coordinates } = this.#voxelGrid.unique(arena);
    onPhaseEnd?.("unique");
    this.#octree.build(coordinates, depth, arena);
    const { levels } = this.#octree;
    onPhaseEnd?.("octree");
    const { neighbors, stemNeighbors, pairs, stemPairs } = this.#neighborFinder.find(levels, arena);
    onPhaseEnd?.("neighbors");
    const serializations = this.#serializer.serialize(levels, depth, arena);
    onPhaseEnd?.("serialization");

    const lastStage = this.#config.stages.length - 1;
    const stages = this.#config.stages.map((_, stage): StageGeometry => {
      const level = levels[stage]!;
      const stageNeighbors = neighbors[stage];
      const stagePairs = pairs[stage];
      const serialization = serializations[stage];
      return {
        voxelCount: level.voxelCount,
        coordinates: level.coordinates,
        ...(stageNeighbors !== undefined && { neighbors: stageNeighbors }),
        ...(stagePairs !== undefined && { pairs: stagePairs }),
        ...(serialization !== undefined && { serialization }),
        ...(stage < lastStage && { parent: level.parent, children: levels[stage + 1]!.children }),
      };
    });
    return {
      pointCount,
      pointToVoxel,
      representative,
      ...(stemNeighbors !== undefined && { stemNeighbors }),
      ...(stemPairs !== undefined && { stemPairs }),
      stages,
    };
  }
}
