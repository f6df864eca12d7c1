import type { BundleManifest, GraphSpec, TensorSpec } from "./bundleManifest.js";

/** A manifest for tests: two stages, the first convolves, the second attends with rotary encoding. */
export function exampleManifest(changes: Partial<BundleManifest> = {}): BundleManifest {
  return {
    format_version: 1,
    name: "example",
    description: "",
    classes: [
      { id: 9, name: "road", color: [255, 0, 255] },
      { id: 1, name: "car", color: [100, 150, 245] },
    ],
    unlabeled_id: 0,
    backbone: {
      grid_size: 0.1,
      point_range: [-50, -50, -5, 50, 50, 5],
      input_features: [
        { name: "x", offset: 0, scale: 1 },
        { name: "intensity", offset: 0.5, scale: 2 },
      ],
      orders: ["z", "hilbert"],
      stem_kernel_size: 3,
      stages: [
        { convolution: true, attention: false, position_encoding: "rotary", patch_size: 64 },
        { convolution: false, attention: true, position_encoding: "rotary", patch_size: 64 },
      ],
    },
    graphs: { image_free: exampleGraph() },
    ...changes,
  };
}

/** The image-free graph of the example. */
export function exampleGraph(changes: Partial<GraphSpec> = {}): GraphSpec {
  return {
    file: "image_free.onnx",
    sha256: "0".repeat(64),
    precision: "float32",
    inputs: [
      tensor("feat", "float32", "V0", 2),
      tensor("neighbors_0", "int32", "V0", 27),
      tensor("parent_0", "int32", "V0"),
      tensor("children_0", "int32", "V1", 8),
      tensor("coordinates_1", "int32", "V1", 3),
      tensor("order_1", "int32", 2, "P1", "K1"),
      tensor("inverse_1", "int32", 2, "V1"),
    ],
    outputs: [
      tensor("label", "int32", "V0"),
      tensor("confidence", "float32", "V0"),
      tensor("entropy", "float32", "V0"),
      tensor("logits", "float32", "V0", 2),
    ],
    ...changes,
  };
}

export function tensor(name: string, dtype: TensorSpec["dtype"], ...shape: TensorSpec["shape"]): TensorSpec {
  return { name, dtype, shape };
}
