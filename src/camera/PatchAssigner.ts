import type { CameraModel } from "./CameraModel.js";
import { DepthBuffer } from "./DepthBuffer.js";
import { imageToInput, patchCounts, type PatchGrid } from "./PatchGrid.js";
import { emptyProjection, projectPoints } from "./projection.js";

/** One camera as seen from one scan. */
export interface CameraView {
  readonly model: CameraModel;
  /** 16 doubles, column-major: cloud coordinates to the camera's optical frame. */
  readonly cloudToOptical: Float64Array;
}

/** "nearest" takes the patch that a voxel falls into (J = 1), "bilinear" the four around it (J = 4). */
export type PatchSampling = "nearest" | "bilinear";

export interface PatchRequest {
  /** [N, 3] x, y, z of the scan, cloud frame, metres. */
  readonly xyz: Float32Array;
  /** [V] the point that stands for each voxel. */
  readonly representative: Int32Array;
  /** In the order of the images that the encoder gets. */
  readonly cameras: readonly CameraView[];
  readonly encoder: PatchGrid;
  readonly sampling: PatchSampling;
  /** Leave out voxels that nearer points of the scan hide from the camera. */
  readonly occlusion: boolean;
}

/** The graph inputs `voxel_patch` and `voxel_patch_weight`; views over memory that the next call reuses. */
export interface PatchAssignment {
  /** [V, J] row of `image_features`; 0 where no camera sees the voxel. */
  readonly patch: Int32Array;
  /** [V, J]; 0 where no camera sees the voxel. */
  readonly weight: Float32Array;
  readonly seenCount: number;
  /** Share of voxels that at least one camera sees; 0 without voxels. */
  readonly seenShare: number;
}

/**
 * Decides which patch of which image each voxel takes its features from, by the rules of
 * docs/graph-contract.md, "Projection"; `assign_patches` of training/ditr_train/geometry/projection.py is the same.
 * Memory is kept from scan to scan.
 */
export class PatchAssigner {
  readonly #projected = emptyProjection();
  readonly #depthBuffer = new DepthBuffer();
  /** [V] squared distance from the centre of the image chosen so far. */
  #distance = new Float64Array(0);
  #patch = new Int32Array(0);
  #weight = new Float32Array(0);

  assign({ xyz, representative, cameras, encoder, sampling, occlusion }: PatchRequest): PatchAssignment {
    const pointCount = Math.floor(xyz.length / 3);
    const voxelCount = representative.length;
    const samples = sampling === "nearest" ? 1 : 4;
    this.#reserve(voxelCount, samples);
    const distance = this.#distance.fill(Infinity, 0, voxelCount);
    const patch = this.#patch.subarray(0, voxelCount * samples).fill(0);
    const weight = this.#weight.subarray(0, voxelCount * samples).fill(0);
    let seenCount = 0;
    for (const [slot, { model, cloudToOptical }] of cameras.entries()) {
      const projected = this.#projected;
      projectPoints(model, cloudToOptical, xyz, pointCount, projected);
      if (occlusion) this.#depthBuffer.fill(model, projected, pointCount);
      const sample = patchSampler(model, encoder, sampling, slot, patch, weight);
      const { width, height } = model;
      const [centreU, centreV] = [(width - 1) / 2, (height - 1) / 2];
      for (let voxel = 0; voxel < voxelCount; voxel++) {
        const point = representative[voxel]!;
        if (projected.visible[point] === 0) continue;
        const u = projected.u[point]!;
        const v = projected.v[point]!;
        const offsetX = (u - centreU) / width;
        const offsetY = (v - centreV) / height;
        const fromCentre = offsetX * offsetX + offsetY * offsetY;
        if (fromCentre >= distance[voxel]!) continue;
        if (occlusion && this.#depthBuffer.occludes(u, v, projected.depth[point]!)) continue;
        if (distance[voxel] === Infinity) seenCount++;
        distance[voxel] = fromCentre;
        sample(u, v, voxel);
      }
    }
    return { patch, weight, seenCount, seenShare: voxelCount === 0 ? 0 : seenCount / voxelCount };
  }

  #reserve(voxelCount: number, samples: number): void {
    if (this.#distance.length < voxelCount) this.#distance = new Float64Array(voxelCount);
    if (this.#patch.length >= voxelCount * samples) return;
    this.#patch = new Int32Array(voxelCount * samples);
    this.#weight = new Float32Array(voxelCount * samples);
  }
}

/** Writes the patches and weights of a voxel at pixel (u, v) of the image in `slot`. */
function patchSampler(
  model: CameraModel,
  encoder: PatchGrid,
  sampling: PatchSampling,
  slot: number,
  patch: Int32Array,
  weight: Float32Array,
): (u: number, v: number, voxel: number) => void {
  const { rows, columns } = patchCounts(encoder);
  const { patchSize } = encoder;
  const { scaleX, scaleY, offsetX, offsetY } = imageToInput(encoder, model.width, model.height);
  const first = slot * rows * columns;
  const clampRow = (row: number) => Math.min(Math.max(row, 0), rows - 1);
  const clampColumn = (column: number) => Math.min(Math.max(column, 0), columns - 1);
  if (sampling === "nearest") {
    return (u, v, voxel) => {
      const column = clampColumn(Math.floor((scaleX * u + offsetX + 0.5) / patchSize));
      const row = clampRow(Math.floor((scaleY * v + offsetY + 0.5) / patchSize));
      patch[voxel] = first + row * columns + column;
      weight[voxel] = 1;
    };
  }
  return (u, v, voxel) => {
    const x = (scaleX * u + offsetX + 0.5) / patchSize;
    const y = (scaleY * v + offsetY + 0.5) / patchSize;
    const left = Math.floor(x - 0.5);
    const top = Math.floor(y - 0.5);
    const rightWeight = x - 0.5 - left;
    const bottomWeight = y - 0.5 - top;
    const upperRow = first + clampRow(top) * columns;
    const lowerRow = first + clampRow(top + 1) * columns;
    const leftColumn = clampColumn(left);
    const rightColumn = clampColumn(left + 1);
    const at = voxel * 4;
    patch[at] = upperRow + leftColumn;
    patch[at + 1] = upperRow + rightColumn;
    patch[at + 2] = lowerRow + leftColumn;
    patch[at + 3] = lowerRow + rightColumn;
    weight[at] = (1 - bottomWeight) * (1 - rightWeight);
    weight[at + 1] = (1 - bottomWeight) * rightWeight;
    weight[at + 2] = bottomWeight * (1 - rightWeight);
    weight[at + 3] = bottomWeight * rightWeight;
  };
}
