import { checkGeometryConfig } from "./geometryConfig.js";
import { COLUMNS_3, COLUMNS_5, writeNeighbors, writeRootNeighbors } from "./neighbors.js";
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
  readonly #serializer: Serializer;
  readonly #ownArena = new TableArena();
  /** Tables that are no outputs: those of octree levels that are no stages or do not convolve. */
  readonly #scratch = new TableArena();
  /** Does the stage have a neighbour table? */
  readonly #hasNeighbors: readonly boolean[];

  /** @throws Fault "invalid-configuration" */
  constructor(config: GeometryConfig) {
    checkGeometryConfig(config);
    this.#config = config;
    this.#voxelGrid = new VoxelGrid(config);
    this.#octree = new Octree(config.stages.length);
    this.#serializer = new Serializer(config);
    this.#hasNeighbors = config.stages.map(
      ({ convolution }, stage) => convolution || (stage === 0 && config.stemKernelSize === 3),
    );
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
    this.#octree.build(coordinates, depth, arena, this.#scratch);
    onPhaseEnd?.("octree");
    const { neighbors, stemNeighbors } = this.#buildNeighbors(arena);
    onPhaseEnd?.("neighbors");
    const { levels } = this.#octree;
    const serializations = this.#serializer.serialize(levels, depth, arena);
    onPhaseEnd?.("serialization");

    const lastStage = this.#config.stages.length - 1;
    const stages = this.#config.stages.map((_, stage): StageGeometry => {
      const level = levels[stage]!;
      const stageNeighbors = this.#hasNeighbors[stage] === true ? neighbors[stage] : undefined;
      const serialization = serializations[stage];
      return {
        voxelCount: level.voxelCount,
        coordinates: level.coordinates,
        ...(stageNeighbors !== undefined && { neighbors: stageNeighbors }),
        ...(serialization !== undefined && { serialization }),
        ...(stage < lastStage && { parent: level.parent, children: levels[stage + 1]!.children }),
      };
    });
    return {
      pointCount,
      pointToVoxel,
      representative,
      ...(stemNeighbors !== undefined && { stemNeighbors }),
      stages,
    };
  }

  /** The 3x3x3 tables by octree level, from the root down to the lowest level that needs one. */
  #buildNeighbors(arena: TableArena): { neighbors: Int32Array[]; stemNeighbors: Int32Array | undefined } {
    const { levels } = this.#octree;
    const neighbors: Int32Array[] = [];
    const hasStemTable = this.#config.stemKernelSize === 5;
    const firstTable = this.#hasNeighbors.indexOf(true);
    const lowest = hasStemTable && firstTable !== 0 ? 1 : firstTable;
    if (lowest === -1) return { neighbors, stemNeighbors: undefined };

    for (let level = levels.length - 1; level >= lowest; level--) {
      const { voxelCount, octant } = levels[level]!;
      const memory = this.#hasNeighbors[level] === true ? arena : this.#scratch;
      const table = memory.int32(`neighbors_${level}`, voxelCount * COLUMNS_3);
      neighbors[level] = table;
      if (level === levels.length - 1) writeRootNeighbors(levels[level]!, table);
      else writeNeighbors(voxelCount, octant, levels[level + 1]!, neighbors[level + 1]!, 3, table);
    }
    if (!hasStemTable) return { neighbors, stemNeighbors: undefined };
    const { voxelCount, octant } = levels[0]!;
    const stemNeighbors = arena.int32("stem_neighbors", voxelCount * COLUMNS_5);
    writeNeighbors(voxelCount, octant, levels[1]!, neighbors[1]!, 5, stemNeighbors);
    return { neighbors, stemNeighbors };
  }
}
