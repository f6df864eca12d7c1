import { Fault, type FaultCode, type Severity } from "../faults/Fault.js";
import type { BundleManifest } from "../model/bundleManifest.js";
import type { BoxProposals } from "../model/inferenceProtocol.js";
import type { NamedTensor } from "../model/NamedTensor.js";
import type { LabellingMode, ModeReason } from "./FusionPolicy.js";
import type { PipelineSettings } from "./PipelineSettings.js";
import type {
  FrameImage,
  MissingImage,
  OverlayImage,
  ScanBoxes,
  ScanFrame,
  ScanSource,
  UsedImage,
} from "./ScanFrame.js";
import type { WantedOutputs } from "./WantedOutputs.js";

/** What the preparation worker is started with. */
export interface PreparationWorkerData {
  readonly manifest: BundleManifest;
  readonly settings: PipelineSettings;
  /** The value of the intensity field that stands for 1; without it, the layout tells. */
  readonly intensityScale?: number;
  /** The field that is intensity; without it, the layout tells. */
  readonly intensityField?: string;
  /** Add `voxelCoordinates` to every prepared scan. */
  readonly dump: boolean;
}

/** A message that goes, or went before, from thread to thread. */
export interface MessageReference {
  readonly id: number;
  /** Absent when it was sent before. */
  readonly cdr?: Uint8Array<ArrayBuffer>;
}

type Sent<T> = T extends unknown ? Omit<T, "cdr"> & { readonly message: MessageReference } : never;

/** A frame on its way to the worker: see SentMessages. */
export interface SentFrame extends Omit<ScanFrame, "sources" | "images"> {
  readonly sources: readonly Sent<ScanSource>[];
  readonly images: readonly Sent<FrameImage>[];
  /** Messages that no later frame refers to. */
  readonly forgotten: readonly number[];
}

/** A scan as the model takes it; its points stay in the worker until `compose`. */
export interface PreparedScan {
  readonly mode: LabellingMode;
  readonly reason: ModeReason;
  readonly inputs: readonly NamedTensor[];
  /** `image` [B, 3, H, W]; only with mode "fused". */
  readonly images?: NamedTensor;
  /** The detection graph's inputs but `tokens`, where boxes are wanted and the model finds some. */
  readonly detection?: readonly NamedTensor[];
  readonly missing: readonly MissingImage[];
  readonly imagesUsed: readonly UsedImage[];
  /** What was left out or made up. */
  readonly faults: readonly SerializedFault[];
  readonly seenShare: number;
  readonly pointCount: number;
  /** Points in the sensor itself, which measured nothing. */
  readonly noReturnCount: number;
  readonly voxelCount: number;
  /** [V_0, 3] a copy, when scans are dumped. */
  readonly voxelCoordinates?: Int32Array<ArrayBuffer>;
  readonly decodeMs: number;
  readonly geometryMs: number;
  readonly imagesMs: number;
  readonly projectionMs: number;
  /** Of `detection`. */
  readonly detectionMs: number;
}

/** The model's answer on its way back, with the memory of its inputs. */
export interface VoxelLabels {
  readonly label: Int32Array<ArrayBuffer>;
  readonly confidence: Float32Array<ArrayBuffer>;
  readonly logits?: Float32Array<ArrayBuffer>;
  /** Absent when no boxes are wanted, or there is no point to find any in. */
  readonly proposals?: BoxProposals;
  /** Those of the detection graph too. */
  readonly inputs: readonly NamedTensor[];
}

export interface ComposedScan {
  /** Clouds and overlays as far as they were wanted. */
  readonly labelledCloud?: Uint8Array<ArrayBuffer>;
  readonly filteredCloud?: Uint8Array<ArrayBuffer>;
  readonly overlays: readonly OverlayImage[];
  /** When boxes are wanted and the model finds some. */
  readonly boxes?: ScanBoxes;
  /** Images that no overlay could be made of and that were not reported with the prepared scan. */
  readonly faults: readonly SerializedFault[];
  /** [65536 or less] points per class id. */
  readonly classCounts: ReadonlyMap<number, number>;
  readonly unlabeledCount: number;
  readonly composeMs: number;
  /** Of `boxes`. */
  readonly detectionMs: number;
  readonly overlaysMs: number;
}

export interface SerializedFault {
  readonly code: FaultCode;
  readonly message: string;
  readonly severity: Severity;
  /** The image or source of points that it is about. */
  readonly topic?: string;
}

/** What the worker answers. */
export type PreparationCommand =
  | {
      readonly kind: "prepare";
      readonly id: number;
      readonly frame: SentFrame;
      readonly wanted: WantedOutputs;
    }
  | { readonly kind: "compose"; readonly id: number; readonly labels: VoxelLabels };

/** What the worker does without an answer. */
export type PreparationNotice =
  /** From the next `prepare` on. */
  | { readonly kind: "update"; readonly settings: PipelineSettings }
  /** The scan will not be composed: inference failed. */
  | { readonly kind: "discard"; readonly id: number };

export type PreparationReply =
  | { readonly kind: "prepared"; readonly id: number; readonly scan: PreparedScan }
  | { readonly kind: "composed"; readonly id: number; readonly scan: ComposedScan }
  | { readonly kind: "failed"; readonly id: number; readonly fault: SerializedFault };

export function serializeFault({ code, message, severity, place }: Fault): SerializedFault {
  return { code, message, severity, ...(place && { topic: place.topic }) };
}

export function deserializeFault({ code, message, severity, topic }: SerializedFault): Fault {
  return new Fault(code, message, { severity, ...(topic !== undefined && { place: { topic } }) });
}
