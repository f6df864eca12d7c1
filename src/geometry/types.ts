/**
 * The integer geometry of a scan: the tables that an ONNX graph of this project takes as inputs.
 * The contract is written out in docs/graph-contract.md; Python builds the same tables in
 * `training/ditr_train/geometry/scan_geometry.py`.
 */

/** Pointcept's names: z-order and Hilbert curve, each with and without x and y swapped. */
export type SerializationOrder = "z" | "z-trans" | "hilbert" | "hilbert-trans";

export interface StageConfig {
  /** Does the stage need the 3x3x3 neighbour table? */
  readonly convolution: boolean;
  /** Points per attention patch; 0 when the stage has no attention and needs no serialization. */
  readonly patchSize: number;
}

export interface GeometryConfig {
  /** Edge of a voxel of stage 0 in metres. */
  readonly gridSize: number;
  /** x, y, z minimum then maximum in metres, in the cloud's frame; minimum inclusive, maximum exclusive. */
  readonly pointRange: readonly [number, number, number, number, number, number];
  /** Are points outside moved to the faces of the range, and not left out? */
  readonly clamp?: boolean;
  readonly orders: readonly SerializationOrder[];
  /** Are the neighbour tables wanted as pairs too? */
  readonly pairs?: boolean;
  /** 3 (uses the neighbour table of stage 0) or 5 (needs a [V_0, 125] table of its own). */
  readonly stemKernelSize: 3 | 5;
  readonly stages: readonly StageConfig[];
}

/** The P occupied entries of a neighbour table of V voxels and K columns, without its middle column. All int32. */
export interface PairTables {
  /** [P] the neighbour of each pair; pairs by column, then by row. */
  readonly source: Int32Array;
  /** [K - 1] pairs of each column. */
  readonly counts: Int32Array;
  /** [V, slotWidth] the first pairs of each row, P where it has fewer. */
  readonly slots: Int32Array;
  readonly slotWidth: number;
  /** [E, restWidth] the other pairs of rows that have more, P where there are fewer; at least one row. */
  readonly rest: Int32Array;
  readonly restWidth: number;
  /** [V] row of `rest`, E where there is none. */
  readonly restRow: Int32Array;
}

/** Tables of one stage with V voxels, in ascending z-order code. Row-major, all int32. */
export interface StageGeometry {
  readonly voxelCount: number;
  /** [V, 3] grid coordinates x, y, z of this stage (those of stage 0 shifted right by the stage number). */
  readonly coordinates: Int32Array;
  /** [V, 27], V where there is no neighbour; absent without convolution. */
  readonly neighbors?: Int32Array;
  /** The same as pairs, where the configuration wants them. */
  readonly pairs?: PairTables;
  /** Absent without attention. */
  readonly serialization?: {
    readonly patchCount: number;
    /** Voxels per patch: the configured patch size, or V when V is not larger. */
    readonly patchSize: number;
    /** [orders, patchCount, patchSize] voxel index of each slot. */
    readonly order: Int32Array;
    /** [orders, V] the slot (patch * patchSize + position) that a voxel's result is read from. */
    readonly inverse: Int32Array;
  };
  /** [V] index of the voxel of the next stage that holds this one; absent in the last stage. */
  readonly parent?: Int32Array;
  /** [V of the next stage, 8] voxels of this stage inside it, this stage's V where empty; absent in the last stage. */
  readonly children?: Int32Array;
}

export interface ScanGeometry {
  readonly pointCount: number;
  /** [N] voxel of stage 0 of each input point; -1 when not finite or outside the range. */
  readonly pointToVoxel: Int32Array;
  /** [V_0] the first point in scan order of each voxel. */
  readonly representative: Int32Array;
  /** [V_0, 125] for a stem of kernel size 5, V_0 where there is no neighbour. */
  readonly stemNeighbors?: Int32Array;
  readonly stemPairs?: PairTables;
  readonly stages: readonly StageGeometry[];
}
