import type { FaultCode } from "../faults/Fault.js";
import type { BundleManifest } from "./bundleManifest.js";
import type { BundleGraph } from "./ModelBundle.js";
import type { NamedTensor } from "./NamedTensor.js";
import type { ProviderChoice, ProviderReport } from "./providers.js";

/** What the inference worker is started with. */
export interface InferenceWorkerData {
  readonly manifest: BundleManifest;
  readonly graphs: readonly BundleGraph[];
  readonly provider: ProviderChoice;
  /** Threads inside an operator; 0 lets ONNX Runtime choose. */
  readonly threads: number;
  /** Of the NativeCallGate that the thread passes on its way into ONNX Runtime. */
  readonly gate: SharedArrayBuffer;
}

export interface LabelRequest {
  readonly graph: "fused" | "image_free";
  /** The graph's inputs but `image_features`, in any order. */
  readonly inputs: readonly NamedTensor[];
  /** `image` [B, 3, H, W] for the image encoder; only and always with the fused graph. */
  readonly images?: NamedTensor;
  readonly wantLogits: boolean;
  /** The detection graph's inputs but `tokens`, in any order, where boxes are wanted. */
  readonly detection?: readonly NamedTensor[];
}

/** What a detection graph says of a scan, in q rows. */
export interface BoxProposals {
  /** [q, 7]: x, y, z of the centre, length, width, height in metres, yaw in radians. */
  readonly boxes: Float32Array<ArrayBuffer>;
  /** [q, classes of boxes] */
  readonly classProbabilities: Float32Array<ArrayBuffer>;
}

export interface LabelResult {
  /** [V_0] index into the bundle's classes. */
  readonly label: Int32Array<ArrayBuffer>;
  /** [V_0] */
  readonly confidence: Float32Array<ArrayBuffer>;
  /** [V_0] */
  readonly entropy: Float32Array<ArrayBuffer>;
  /** [V_0, classes], when asked for. */
  readonly logits?: Float32Array<ArrayBuffer>;
  /** When boxes were wanted. */
  readonly proposals?: BoxProposals;
  readonly imageEncoderMs: number;
  readonly backboneMs: number;
  /** 0 when no boxes were wanted. */
  readonly detectionMs: number;
  /** The inputs, given back so that their memory can be used again. */
  readonly inputs: readonly NamedTensor[];
  readonly images?: NamedTensor;
  readonly detection?: readonly NamedTensor[];
}

/** The worker's first message. */
export type LoadingReply =
  | { readonly kind: "loaded"; readonly report: ProviderReport }
  | { readonly kind: "failed"; readonly code: FaultCode; readonly message: string };

/** What it says to each command. */
export type InferenceAnswer =
  | { readonly kind: "labelled"; readonly id: number; readonly result: LabelResult }
  | { readonly kind: "failed"; readonly id: number; readonly code: FaultCode; readonly message: string };

export interface InferenceCommand {
  readonly id: number;
  readonly request: LabelRequest;
}

/** Tells the thread to end when its current run is over. */
export const END_OF_INFERENCE = "end";
