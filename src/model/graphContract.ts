import { pairNames } from "../geometry/pairTables.js";
import type { GeometryConfig } from "../geometry/types.js";
import type { BundleManifest, GraphName, TensorSpec } from "./bundleManifest.js";

/** Names, dtypes and trailing sizes of docs/graph-contract.md; "*" stands for any size. */
interface ContractTensor {
  readonly name: string;
  readonly dtype: "float32" | "int32";
  readonly shape: readonly (number | "*")[];
}

const OUTPUTS: readonly ContractTensor[] = [
  { name: "label", dtype: "int32", shape: ["*"] },
  { name: "confidence", dtype: "float32", shape: ["*"] },
  { name: "entropy", dtype: "float32", shape: ["*"] },
];

/** Inputs of graphs that multiply only the neighbours that exist. */
const PAIRS = /^(stem_)?pair_/;

/** What the host computes for a backbone: the tables that its stages ask for. */
export function geometryConfig({ backbone, graphs }: BundleManifest): GeometryConfig {
  const { stages, stem_kernel_size } = backbone;
  return {
    gridSize: backbone.grid_size,
    pointRange: backbone.point_range,
    clamp: backbone.clamp ?? false,
    orders: backbone.orders,
    pairs: Object.values(graphs).some((graph) => graph?.inputs.some(({ name }) => PAIRS.test(name))),
    stemKernelSize: stem_kernel_size,
    stages: stages.map((stage, index) => ({
      convolution: stage.convolution || (index === 0 && stem_kernel_size === 3),
      patchSize: stage.attention ? stage.patch_size : 0,
    })),
  };
}

/** A neighbour table, and the pairs that stand for it. */
function neighborInputs(table: string, columns: number): ContractTensor[] {
  const [source, counts, slots, rest, restRow] = pairNames(table);
  return [
    { name: table, dtype: "int32", shape: ["*", columns] },
    { name: source, dtype: "int32", shape: ["*"] },
    { name: counts, dtype: "int32", shape: [columns - 1] },
    { name: slots, dtype: "int32", shape: ["*", "*"] },
    { name: rest, dtype: "int32", shape: ["*", "*"] },
    { name: restRow, dtype: "int32", shape: ["*"] },
  ];
}

function backboneInputs(manifest: BundleManifest): ContractTensor[] {
  const { backbone } = manifest;
  const orders = backbone.orders.length;
  const last = backbone.stages.length - 1;
  const inputs: ContractTensor[] = [
    { name: "feat", dtype: "float32", shape: ["*", backbone.input_features.length] },
  ];
  if (backbone.stem_kernel_size === 5) inputs.push(...neighborInputs("stem_neighbors", 125));
  geometryConfig(manifest).stages.forEach((stage, s) => {
    if (stage.convolution) inputs.push(...neighborInputs(`neighbors_${s}`, 27));
    if (stage.patchSize > 0) {
      inputs.push(
        { name: `order_${s}`, dtype: "int32", shape: [orders, "*", "*"] },
        { name: `inverse_${s}`, dtype: "int32", shape: [orders, "*"] },
      );
      if (backbone.stages[s]!.position_encoding === "rotary") {
        inputs.push({ name: `coordinates_${s}`, dtype: "int32", shape: ["*", 3] });
      }
    }
    if (s < last) {
      inputs.push(
        { name: `parent_${s}`, dtype: "int32", shape: ["*"] },
        { name: `children_${s}`, dtype: "int32", shape: ["*", 8] },
      );
    }
  });
  return inputs;
}

/** Number of patches that a voxel takes its image feature from: J of docs/graph-contract.md. */
export function patchesPerVoxel(sampling: "nearest" | "bilinear"): 1 | 4 {
  return sampling === "nearest" ? 1 : 4;
}

interface GraphContract {
  readonly inputs: readonly ContractTensor[];
  readonly outputs: readonly ContractTensor[];
}

function contractOf(manifest: BundleManifest, graph: GraphName): GraphContract {
  if (graph === "detection") return detectionContract(manifest);
  const classes = manifest.classes.length;
  const outputs: ContractTensor[] = [...OUTPUTS, { name: "logits", dtype: "float32", shape: ["*", classes] }];
  if (manifest.detection !== undefined) outputs.push(tokensOf(manifest));
  if (graph === "image_free") return { inputs: backboneInputs(manifest), outputs };
  const encoder = manifest.image_encoder!;
  const dimension = encoder.feature_dimension;
  if (graph === "fused") {
    const columns = patchesPerVoxel(encoder.sampling);
    return {
      inputs: [
        ...backboneInputs(manifest),
        { name: "image_features", dtype: "float32", shape: ["*", dimension] },
        { name: "voxel_patch", dtype: "int32", shape: ["*", columns] },
        { name: "voxel_patch_weight", dtype: "float32", shape: ["*", columns] },
      ],
      outputs,
    };
  }
  const patches = (encoder.input_height / encoder.patch_size) * (encoder.input_width / encoder.patch_size);
  return {
    inputs: [{ name: "image", dtype: "float32", shape: ["*", 3, encoder.input_height, encoder.input_width] }],
    outputs: [{ name: "features", dtype: "float32", shape: ["*", patches, dimension] }],
  };
}

function detectionContract(manifest: BundleManifest): GraphContract {
  return {
    inputs: [
      tokensOf(manifest),
      { name: "token_positions", dtype: "float32", shape: ["*", 3] },
      { name: "queries", dtype: "int32", shape: ["*"] },
    ],
    outputs: [
      { name: "boxes", dtype: "float32", shape: ["*", 7] },
      { name: "class_probabilities", dtype: "float32", shape: ["*", manifest.detection!.classes.length] },
    ],
  };
}

/** As wide as the detection graph takes them. */
function tokensOf({ graphs }: BundleManifest): ContractTensor {
  const declared = graphs.detection!.inputs.find(({ name }) => name === "tokens")?.shape[1];
  return { name: "tokens", dtype: "float32", shape: ["*", typeof declared === "number" ? declared : "*"] };
}

function describe({ dtype, shape }: { dtype: string; shape: readonly (number | string)[] }): string {
  return `${dtype} [${shape.join(", ")}]`;
}

function fits(actual: TensorSpec, expected: ContractTensor): boolean {
  return (
    actual.dtype === expected.dtype &&
    actual.shape.length === expected.shape.length &&
    expected.shape.every((size, axis) => size === "*" || size === actual.shape[axis])
  );
}

/**
 * Where a graph's declared tensors leave the contract: one sentence, or undefined where they do not. A
 * graph may leave out inputs that it does not use; it may not ask for one that the host does not make.
 */
export function contractViolation(manifest: BundleManifest, graph: GraphName): string | undefined {
  const spec = manifest.graphs[graph];
  if (spec === undefined) return undefined;
  const contract = contractOf(manifest, graph);
  for (const input of spec.inputs) {
    const expected = contract.inputs.find(({ name }) => name === input.name);
    if (expected === undefined) {
      const known = contract.inputs.map(({ name }) => name).join(", ");
      return `graph ${graph} asks for input "${input.name}", which the host does not make for this backbone (it makes ${known})`;
    }
    if (!fits(input, expected)) {
      return `graph ${graph} declares input "${input.name}" as ${describe(input)}, the host makes ${describe(expected)}`;
    }
  }
  for (const expected of contract.outputs) {
    const output = spec.outputs.find(({ name }) => name === expected.name);
    if (output === undefined) return `graph ${graph} has no output "${expected.name}"`;
    if (!fits(output, expected)) {
      return `graph ${graph} declares output "${output.name}" as ${describe(output)}, expected ${describe(expected)}`;
    }
  }
  return undefined;
}
