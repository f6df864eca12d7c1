import type { FaultCode } from "../faults/Fault.js";
import type { BundleManifest } from "../model/bundleManifest.js";
import type { NamedTensor } from "../model/NamedTensor.js";
import type { LabellingMode, FusionPolicyOptions, ModeReason } from "./FusionPolicy.js";
import type { CloudFilter } from "./labelledClouds.js";
import type { ScanFrame } from "./ScanFrame.js";

/** What the preparation worker is started with. */
export interface PreparationWorkerData {
  readonly manifest: BundleManifest;
  readonly fusion: FusionPolicyOptions;
  readonly filter?: CloudFilter;
  /** The value of the intensity field that stands for 1; without it, the layout tells. */
  readonly intensityScale?: number;
  /** Add `voxelCoordinates` to every prepared scan. */
  readonly dump: boolean;
}

/** A scan as the model takes it; its points stay in the worker until `compose`. */
export interface PreparedScan {
  readonly mode: LabellingMode;
  readonly reason: ModeReason;
  readonly inputs: readonly NamedTensor[];
  /** `image` [B, 3, H, W]; only with mode "fused". */
  readonly images?: NamedTensor;
  readonly imagesUsed: readonly { readonly camera: string; readonly delta: bigint }[];
  /** What was left out or made up. */
  readonly faults: readonly SerializedFault[];
  readonly seenShare: number;
  readonly pointCount: number;
  readonly voxelCount: number;
  /** [V_0, 3] a copy, when scans are dumped. */
  readonly voxelCoordinates?: Int32Array<ArrayBuffer>;
  readonly decodeMs: number;
  readonly geometryMs: number;
  readonly imagesMs: number;
  readonly projectionMs: number;
}

/** The model's answer on its way back, with the memory of its inputs. */
export interface VoxelLabels {
  readonly label: Int32Array<ArrayBuffer>;
  readonly confidence: Float32Array<ArrayBuffer>;
  readonly logits?: Float32Array<ArrayBuffer>;
  readonly inputs: readonly NamedTensor[];
}

export interface ComposedScan {
  readonly labelledCloud: Uint8Array<ArrayBuffer>;
  readonly filteredCloud?: Uint8Array<ArrayBuffer>;
  /** [65536 or less] points per class id. */
  readonly classCounts: ReadonlyMap<number, number>;
  readonly unlabeledCount: number;
  readonly composeMs: number;
}

export interface SerializedFault {
  readonly code: FaultCode;
  readonly message: string;
  /** The image or source of points that it is about. */
  readonly topic?: string;
}

export type PreparationCommand =
  | { readonly kind: "prepare"; readonly id: number; readonly frame: ScanFrame }
  | { readonly kind: "compose"; readonly id: number; readonly labels: VoxelLabels }
  /** The scan will not be composed: inference failed. */
  | { readonly kind: "discard"; readonly id: number };

export type PreparationReply =
  | { readonly kind: "prepared"; readonly id: number; readonly scan: PreparedScan }
  | { readonly kind: "composed"; readonly id: number; readonly scan: ComposedScan }
  | { readonly kind: "failed"; readonly id: number; readonly fault: SerializedFault };
