import type { Fault } from "../faults/Fault.js";
import type { BoxDetection } from "../messages/boxDetections.js";
import type { CameraInfo } from "../messages/types.js";
import type { NamedTensor } from "../model/NamedTensor.js";
import type { ScanMotion } from "../transforms/ScanMotion.js";
import type { LabellingMode, ModeReason } from "./FusionPolicy.js";

/** An image that belongs to a scan, with all that is needed to project the scan into it. */
export interface FrameImage {
  readonly camera: string;
  readonly topic: string;
  /** ROS type name: sensor_msgs/msg/Image or sensor_msgs/msg/CompressedImage. */
  readonly type: string;
  /** Of the header. */
  readonly frameId: string;
  /**
   * The message; its buffer is transferred to the preparation thread with the first scan that uses it, later scans give
   * the same array again.
   */
  readonly cdr: Uint8Array<ArrayBuffer>;
  readonly info: CameraInfo;
  /** 4x4, column-major: from the cloud's frame to the camera's optical frame. */
  readonly cloudToCamera: Float64Array;
  /** Is the image rectified, so that P of the CameraInfo holds and not K and D? */
  readonly rectified: boolean;
  /** The image's own, nanoseconds. */
  readonly stamp: bigint;
  /** How much later than wanted for the scan the image was taken, nanoseconds: see MatchedImage. */
  readonly delta: bigint;
}

/** One sensor's part of a scan: points, or a depth image to make points of. */
export type ScanSource = {
  /** Which of the configured sources it is: 0 for the one that sets the stamps, then in their order. */
  readonly index: number;
  readonly topic: string;
  /** Of the header. */
  readonly frameId: string;
  /** The message; its buffer is transferred as that of an image. */
  readonly cdr: Uint8Array<ArrayBuffer>;
  /** 4x4, column-major: from the source's frame at its stamp to the scan's frame at the scan's; absent for none. */
  readonly toScan?: Float64Array;
  /** Where the sensor was during its scan, to undo its motion. */
  readonly motion?: ScanMotion;
} & (
  | { readonly kind: "points" }
  | {
      readonly kind: "depth";
      /** sensor_msgs/msg/Image or sensor_msgs/msg/CompressedImage. */
      readonly type: string;
      readonly info: CameraInfo;
      /** See FrameImage. */
      readonly rectified: boolean;
    }
);

/** A camera, or another source of points, without something usable for a scan, and why. */
export interface MissingImage {
  readonly camera: string;
  readonly reason: string;
  /** FrameImage.delta of the nearest image that is known, though it is too far to be used; nanoseconds. */
  readonly nearest?: bigint;
}

/** A scan with the images that came for it. */
export interface ScanFrame {
  readonly stamp: bigint;
  readonly topic: string;
  /** What the scan is made of, the source that sets its stamp first; empty when none has a place in the scan's frame. */
  readonly sources: readonly ScanSource[];
  /** The points are wanted merged in this frame, as x, y, z, intensity and source; otherwise as they came. */
  readonly mergedFrame?: string;
  readonly images: readonly FrameImage[];
  readonly missing: readonly MissingImage[];
}

/** Milliseconds of each stage of one scan. */
export interface StageTimes {
  readonly decode: number;
  readonly geometry: number;
  readonly images: number;
  readonly projection: number;
  readonly imageEncoder: number;
  readonly backbone: number;
  /** Boxes: where tokens are, the detection graph, and the choice among what it says; 0 when none are wanted. */
  readonly detection: number;
  readonly compose: number;
}

/** Everything between points and labels of one scan, for debugging and comparison. */
export interface ScanDump {
  readonly mode: LabellingMode;
  /** [V_0, 3] int32 grid coordinates. */
  readonly voxelCoordinates: Int32Array;
  /** [V_0, classes] */
  readonly logits: Float32Array;
  /** The inputs of the graph, and `image` of the image encoder when it ran. */
  readonly inputs: readonly NamedTensor[];
}

/** A camera's image with the labelled points on it in their classes' colours. */
export interface OverlayImage {
  readonly camera: string;
  /** sensor_msgs/msg/Image (rgb8) as CDR, with the header of the camera's image. */
  readonly cdr: Uint8Array<ArrayBuffer>;
}

/** The boxes of a scan, in the frame of its points and, where the sensor's motion is undone, at its stamp. */
export interface ScanBoxes {
  /** The best first. */
  readonly found: readonly BoxDetection[];
  /** vision_msgs/msg/Detection3DArray as CDR, when it is wanted. */
  readonly detections?: Uint8Array<ArrayBuffer>;
  /** visualization_msgs/msg/MarkerArray as CDR, when it is wanted. */
  readonly markers?: Uint8Array<ArrayBuffer>;
}

/** An image that labels of a scan are made with. */
export type UsedImage = Pick<FrameImage, "camera" | "stamp" | "delta">;

export interface LabelledScan {
  readonly kind: "labelled";
  readonly stamp: bigint;
  readonly topic: string;
  readonly mode: LabellingMode;
  readonly reason: ModeReason;
  readonly imagesUsed: readonly UsedImage[];
  readonly missing: readonly MissingImage[];
  /** Problems that the scan was labelled in spite of: images and sources left out, features that are missing. */
  readonly faults: readonly Fault[];
  readonly seenShare: number;
  readonly pointCount: number;
  /** Points in the sensor itself, (0, 0, 0), which measured nothing and stay unlabeled. */
  readonly noReturnCount: number;
  readonly voxelCount: number;
  /** Points that no voxel holds: no returns, not finite, or outside the model's range. */
  readonly unlabeledCount: number;
  /** Points per class id. */
  readonly classCounts: ReadonlyMap<number, number>;
  /** sensor_msgs/msg/PointCloud2 as CDR, when it is wanted. */
  readonly labelledCloud?: Uint8Array<ArrayBuffer>;
  /** sensor_msgs/msg/PointCloud2 as CDR, when it is wanted and a filter is configured. */
  readonly filteredCloud?: Uint8Array<ArrayBuffer>;
  /** Of the wanted cameras that have a usable image for this scan, in the order of its images. */
  readonly overlays: readonly OverlayImage[];
  /** When boxes are wanted and the model finds some. */
  readonly boxes?: ScanBoxes;
  readonly times: StageTimes;
  /** Milliseconds that all overlays took: most of them while the model was running. */
  readonly overlaysMs: number;
  readonly dump?: ScanDump;
}

/** A scan that could not be labelled; the pipeline goes on with the next. */
export interface FailedScan {
  readonly kind: "failed";
  readonly stamp: bigint;
  readonly topic: string;
  readonly fault: Fault;
}

/** A scan whose labelled cloud was wanted. */
export interface ScanWithCloud extends LabelledScan {
  readonly labelledCloud: Uint8Array<ArrayBuffer>;
}

export type ScanOutcome = LabelledScan | FailedScan;
