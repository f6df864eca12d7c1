import { clampNumber } from "../geometry/clampPoints.js";
import { pairNames } from "../geometry/pairTables.js";
import type { PairTables, ScanGeometry } from "../geometry/types.js";
import type { BundleManifest, GraphSpec, TensorSpec } from "./bundleManifest.js";
import { float32Tensor, int32Tensor, type NamedTensor } from "./NamedTensor.js";

/** Features that are coordinates, in the order of a point range. */
const AXES: readonly string[] = ["x", "y", "z"];

/** `data` is a view over memory that will be transferred; see docs/graph-contract.md for every tensor. */
export function geometryTensors(geometry: ScanGeometry): NamedTensor[] {
  const tensors: NamedTensor[] = [];
  const { stages, stemNeighbors, stemPairs } = geometry;
  if (stemNeighbors !== undefined) {
    tensors.push(int32Tensor("stem_neighbors", [stages[0]!.voxelCount, 125], owned(stemNeighbors)));
  }
  if (stemPairs !== undefined) tensors.push(...pairTensors("stem_neighbors", stemPairs));
  stages.forEach((stage, s) => {
    const { voxelCount, serialization, neighbors, pairs, parent, children } = stage;
    tensors.push(int32Tensor(`coordinates_${s}`, [voxelCount, 3], owned(stage.coordinates)));
    if (neighbors !== undefined)
      tensors.push(int32Tensor(`neighbors_${s}`, [voxelCount, 27], owned(neighbors)));
    if (pairs !== undefined) tensors.push(...pairTensors(`neighbors_${s}`, pairs));
    if (serialization !== undefined) {
      const { order, inverse, patchCount, patchSize } = serialization;
      const orders = inverse.length / voxelCount;
      tensors.push(
        int32Tensor(`order_${s}`, [orders, patchCount, patchSize], owned(order)),
        int32Tensor(`inverse_${s}`, [orders, voxelCount], owned(inverse)),
      );
    }
    if (parent !== undefined) tensors.push(int32Tensor(`parent_${s}`, [voxelCount], owned(parent)));
    if (children !== undefined) {
      tensors.push(int32Tensor(`children_${s}`, [stages[s + 1]!.voxelCount, 8], owned(children)));
    }
  });
  return tensors;
}

function pairTensors(table: string, pairs: PairTables): NamedTensor[] {
  const { source, counts, slots, slotWidth, rest, restWidth, restRow } = pairs;
  const [sourceName, countsName, slotsName, restName, restRowName] = pairNames(table);
  return [
    int32Tensor(sourceName, [source.length], owned(source)),
    int32Tensor(countsName, [counts.length], owned(counts)),
    int32Tensor(slotsName, [slots.length / slotWidth, slotWidth], owned(slots)),
    int32Tensor(restName, [rest.length / restWidth, restWidth], owned(rest)),
    int32Tensor(restRowName, [restRow.length], owned(restRow)),
  ];
}

/**
 * `feat` [V_0, F] of the representative points.
 * @param columns one value per point for each input feature of the backbone, in their order
 * @param out reused when it is long enough
 */
export function featureTensor(
  backbone: BundleManifest["backbone"],
  columns: readonly Float32Array[],
  representative: Int32Array,
  out?: Float32Array<ArrayBuffer>,
): NamedTensor {
  const width = backbone.input_features.length;
  const length = representative.length * width;
  const data = out !== undefined && out.length >= length ? out.subarray(0, length) : new Float32Array(length);
  backbone.input_features.forEach(({ name, offset, scale }, feature) => {
    const column = columns[feature]!;
    const axis = backbone.clamp === true ? AXES.indexOf(name) : -1;
    const low = axis < 0 ? -Infinity : Math.fround(backbone.point_range[axis]!);
    const high = axis < 0 ? Infinity : Math.fround(backbone.point_range[axis + 3]!);
    for (let voxel = 0, at = feature; voxel < representative.length; voxel++, at += width) {
      data[at] = (clampNumber(column[representative[voxel]!]!, low, high) - offset) * scale;
    }
  });
  return float32Tensor("feat", [representative.length, width], data);
}

/** What other graphs give to the one that takes it. */
const RESULTS: readonly string[] = ["image_features", "tokens"];

/** The inputs of a graph that the host makes: all but the results of other graphs. */
export function hostInputs({ inputs }: GraphSpec): TensorSpec[] {
  return inputs.filter(({ name }) => !RESULTS.includes(name));
}

/** The tensors of these inputs, in their order; a missing one is a defect of the caller. */
export function selectInputs(inputs: readonly TensorSpec[], tensors: readonly NamedTensor[]): NamedTensor[] {
  return inputs.map(({ name }) => {
    const tensor = tensors.find((candidate) => candidate.name === name);
    if (tensor === undefined) throw new Error(`no tensor was made for graph input ${name}`);
    return tensor;
  });
}

function owned(view: Int32Array): Int32Array<ArrayBuffer> {
  if (view.buffer instanceof SharedArrayBuffer) throw new Error("ONNX Runtime refuses shared memory");
  return view as Int32Array<ArrayBuffer>;
}
