import type { Fault } from "../../faults/Fault.js";
import type { COMPRESSED_IMAGE_TYPE, IMAGE_TYPE } from "../../messages/image.js";

/** What the user decided; the rest is chosen. */
export interface InputOverrides {
  /**
   * PointCloud2 topics, or depth images to make points of; needed when a bag has several. Several are merged, at the
   * stamps of the first.
   */
  readonly cloudTopics?: readonly string[];
  /** Merge the points in this frame; by default that of the first topic when there are several, else none. */
  readonly targetFrame?: string;
  /** Exactly these, in this order; an empty list for none. By default every camera that can be used. */
  readonly imageTopics?: readonly string[];
  /** CameraInfo topic by image topic, where names do not tell. */
  readonly cameraInfoTopics?: Readonly<Record<string, string>>;
  /** Image topics that are rectified, and that are not; by default their names tell. */
  readonly rectifiedTopics?: readonly string[];
  readonly rawTopics?: readonly string[];
  /** The field that is intensity, which some chosen cloud must have; by default its name tells. */
  readonly intensityField?: string;
  /** Exactly these topics of transforms; by default those of the cloud's namespace. */
  readonly tfTopics?: readonly string[];
}

export type CloudInput =
  | { readonly kind: "points"; readonly topic: string }
  | {
      readonly kind: "depth";
      readonly topic: string;
      readonly cameraInfoTopic: string;
      /** P of the CameraInfo holds, not K and D. */
      readonly rectified: boolean;
    };

export interface CameraInput {
  /** Unique: the last part of the image topic's namespace, or as much of the topic as tells cameras apart. */
  readonly name: string;
  readonly imageTopic: string;
  readonly imageType: typeof IMAGE_TYPE | typeof COMPRESSED_IMAGE_TYPE;
  readonly cameraInfoTopic: string;
  /** P of the CameraInfo holds, not K and D. */
  readonly rectified: boolean;
  /** Nanoseconds into the recording from which on its place is known, when that is late. */
  readonly placedSince?: bigint;
}

export interface InputSelection {
  /** The first sets the stamps of the scans. */
  readonly clouds: readonly [CloudInput, ...CloudInput[]];
  /** The points of all clouds are merged in this frame; absent when the only cloud stays as it came. */
  readonly mergedFrame?: string;
  readonly cameras: readonly CameraInput[];
  /** Those named tf_static first. */
  readonly tfTopics: readonly string[];
  /** Why cameras of the bag are not used: `camera-info-missing`, `transform-missing`, `camera-info-mismatch`. */
  readonly problems: readonly Fault[];
  /** What of the cameras that are used is not believed; the run says it of the messages. */
  readonly oddities: readonly Fault[];
}
