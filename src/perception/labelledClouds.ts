import type { BundleManifest } from "../model/bundleManifest.js";
import type { Column } from "../messages/appendFields.js";
import { packRgb, type Rgb } from "../messages/packRgb.js";
import { PointFieldType } from "../messages/types.js";

/** Which points the filtered cloud leaves out. */
export interface CloudFilter {
  readonly classIds: readonly number[];
  /**
   * Leave out every point for which some of the classes has more than this probability (0..1); without it,
   * every point whose label is one of the classes.
   */
  readonly probabilityThreshold?: number;
}

/** Per point results, in the order of the input cloud. */
export interface PointLabels {
  /** Class ids; the bundle's `unlabeled_id` where no voxel holds the point. */
  readonly label: Uint8Array | Uint16Array;
  /** Probability of the label; 0 for unlabeled points. */
  readonly confidence: Float32Array;
  /** Packed colours of the classes, black for unlabeled points. */
  readonly rgb: Float32Array;
}

export interface PointCounts {
  /** Points per class id; classes without any are absent. */
  readonly classCounts: ReadonlyMap<number, number>;
  /** Points without a voxel. */
  readonly unlabeledCount: number;
}

/** Turns class indices of voxels into labels of points; made once per model and colours. */
export class PointLabeller {
  readonly #classes: BundleManifest["classes"];
  readonly #unlabeledId: number;
  /** By class id. */
  readonly #colors: readonly Rgb[];
  readonly #wide: boolean;

  /** @param classColors of the bundle's classes, in their order */
  constructor({ classes, unlabeled_id }: BundleManifest, classColors: readonly Rgb[]) {
    this.#classes = classes;
    this.#unlabeledId = unlabeled_id;
    const largest = Math.max(unlabeled_id, ...classes.map(({ id }) => id));
    const colors: Rgb[] = Array.from({ length: largest + 1 }, () => [0, 0, 0]);
    classes.forEach(({ id }, index) => {
      colors[id] = classColors[index]!;
    });
    this.#colors = colors;
    this.#wide = largest > 255;
  }

  /**
   * @param pointToVoxel [N], -1 where no voxel holds the point
   * @param voxelLabel [V] index into the bundle's classes
   * @param voxelConfidence [V]
   */
  label(pointToVoxel: Int32Array, voxelLabel: Int32Array, voxelConfidence: Float32Array): PointLabels {
    const count = pointToVoxel.length;
    const ids = Uint16Array.from(this.#classes, ({ id }) => id);
    const label = this.#wide ? new Uint16Array(count) : new Uint8Array(count);
    const confidence = new Float32Array(count);
    for (let point = 0; point < count; point++) {
      const voxel = pointToVoxel[point]!;
      if (voxel < 0) {
        label[point] = this.#unlabeledId;
        continue;
      }
      label[point] = ids[voxelLabel[voxel]!]!;
      confidence[point] = voxelConfidence[voxel]!;
    }
    return { label, confidence, rgb: packRgb(label, this.#colors) };
  }

  /** Parameters as those of `label`. */
  count(pointToVoxel: Int32Array, voxelLabel: Int32Array): PointCounts {
    const histogram = new Uint32Array(this.#classes.length);
    let unlabeledCount = 0;
    for (let point = 0; point < pointToVoxel.length; point++) {
      const voxel = pointToVoxel[point]!;
      if (voxel < 0) unlabeledCount++;
      else histogram[voxelLabel[voxel]!]!++;
    }
    const classCounts = new Map(
      this.#classes.flatMap(({ id }, index) =>
        histogram[index]! > 0 ? [[id, histogram[index]!] as const] : [],
      ),
    );
    return { classCounts, unlabeledCount };
  }
}

/** The fields that a labelled cloud has beyond those of its input. */
export function labelColumns({ label, confidence, rgb }: PointLabels): Column[] {
  return [
    label instanceof Uint16Array
      ? { name: "label", datatype: PointFieldType.UINT16, values: label }
      : { name: "label", datatype: PointFieldType.UINT8, values: label },
    { name: "confidence", datatype: PointFieldType.FLOAT32, values: confidence },
    { name: "rgb", datatype: PointFieldType.FLOAT32, values: rgb },
  ];
}

/**
 * 1 for each point that the filter keeps, 0 for the others. Points without a voxel are kept: nothing is
 * known about them.
 * @param logits [V, classes]; needed for a filter with a probability threshold
 */
export function keptPoints(
  filter: CloudFilter,
  manifest: BundleManifest,
  pointToVoxel: Int32Array,
  voxelLabel: Int32Array,
  logits: Float32Array | undefined,
): Uint8Array {
  const filtered = manifest.classes.map(({ id }) => filter.classIds.includes(id));
  const { probabilityThreshold } = filter;
  const voxelKept = new Uint8Array(voxelLabel.length);
  for (let voxel = 0; voxel < voxelKept.length; voxel++) {
    const out =
      probabilityThreshold === undefined
        ? filtered[voxelLabel[voxel]!]!
        : exceeds(logits!, voxel * filtered.length, filtered, probabilityThreshold);
    voxelKept[voxel] = out ? 0 : 1;
  }
  return Uint8Array.from(pointToVoxel, (voxel) => (voxel < 0 ? 1 : voxelKept[voxel]!));
}

/** Is the softmax of one row of logits above the threshold for some filtered class? */
function exceeds(
  logits: Float32Array,
  start: number,
  filtered: readonly boolean[],
  threshold: number,
): boolean {
  let largest = -Infinity;
  for (let index = 0; index < filtered.length; index++) largest = Math.max(largest, logits[start + index]!);
  let sum = 0;
  let largestFiltered = 0;
  for (let index = 0; index < filtered.length; index++) {
    const weight = Math.exp(logits[start + index]! - largest);
    sum += weight;
    if (filtered[index]!) largestFiltered = Math.max(largestFiltered, weight);
  }
  return largestFiltered > threshold * sum;
}
