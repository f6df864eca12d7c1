import type { BundleManifest, DetectionSpec, GraphSpec, TensorSpec } from "./bundleManifest.js";

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

/** The example with boxes of two classes on tokens of the second stage. */
export function exampleDetection(changes: Partial<DetectionSpec> = {}): BundleManifest {
  const { graphs, ...manifest } = exampleManifest();
  const outputs = [...exampleGraph().outputs, tensor("tokens", "float32", "V1", 12)];
  return {
    ...manifest,
    detection: {
      stage: 1,
      queries: 100,
      classes: [
        { name: "car", color: [100, 150, 245] },
        { name: "person", color: [255, 30, 30] },
      ],
      score_threshold: 0.3,
      overlap_threshold: 0.25,
      ...changes,
    },
    graphs: {
      ...graphs,
      image_free: exampleGraph({ outputs }),
      detection: {
        file: "image_free.onnx",
        sha256: "0".repeat(64),
        precision: "float32",
        inputs: [tensor("tokens", "float32", "V1", 12), tensor("token_positions", "float32", "V1", 3)],
        outputs: [tensor("boxes", "float32", "Q", 7), tensor("class_probabilities", "float32", "Q", 2)],
      },
    },
  };
}

export function tensor(name: string, dtype: TensorSpec["dtype"], ...shape: TensorSpec["shape"]): TensorSpec {
  return { name, dtype, shape };
}
