import type { Fault } from "../../faults/Fault.js";
import type { COMPRESSED_IMAGE_TYPE, IMAGE_TYPE } from "../../messages/image.js";
import type { ForeignTopic } from "../../messages/foreignTypes.js";
import type { PointLayout } from "../../messages/pointLayout.js";
import type { CameraInfo } from "../../messages/types.js";
import type { Pose } from "../../transforms/Pose.js";
import type { QosProfile } from "../qosProfile.js";

export interface TopicSummary {
  readonly topic: string;
  readonly type: string;
  readonly messageCount: number;
  /** Messages per second over the length of the bag; undefined for fewer than two messages. */
  readonly rate: number | undefined;
  readonly offeredQos: readonly QosProfile[];
}

export interface CloudSummary extends TopicSummary {
  readonly frameId: string;
  /** Of the first cloud that has x, y and z, else of the first. */
  readonly pointCount: number;
  readonly fields: readonly string[];
  /** What they mean. */
  readonly layout: PointLayout;
}

export type ImageSize = readonly [width: number, height: number];

export interface ImageSummary extends TopicSummary {
  readonly type: typeof IMAGE_TYPE | typeof COMPRESSED_IMAGE_TYPE;
  readonly frameId: string;
  /** `encoding` of an Image, `format` of a CompressedImage. */
  readonly encoding: string;
  /** Width and height in pixels of the first pictures, each once; empty when none of them can be decoded. */
  readonly sizes: readonly ImageSize[];
  /** Why none of the pictures that were tried can be decoded. */
  readonly unreadable?: Fault;
}

export interface CameraInfoSummary extends TopicSummary {
  /** The first that a camera can be made of, else the first. */
  readonly first: CameraInfo;
}

/** A topic of a type that is read, of which no message could be decoded. */
export interface UndecodableTopic {
  readonly topic: string;
  readonly type: string;
  /** How many were tried, and what is wrong with the first. */
  readonly fault: Fault;
}

/** Data of a sensor in a type or encoding that is not read. */
export interface NearMiss extends ForeignTopic {
  readonly topic: string;
}

export interface FrameSummary {
  readonly frame: string;
  /** The last. */
  readonly parent: string;
  readonly topic: string;
  readonly isStatic: boolean;
  /** Nanoseconds: of the last message that was looked at. */
  readonly logTime: bigint;
  /** That it had on the topic before. */
  readonly otherParents?: readonly string[];
  /** Of a static frame the last place in its parent. */
  readonly pose?: Pose;
  /** In words how far that is from another place in the same parent that the topic gave it before. */
  readonly moved?: string;
  /** Nanoseconds into the recording, of a frame that appears late or comes late to its parent. */
  readonly since?: bigint;
}

/** What is in a bag, as far as labelling its clouds goes. */
export interface BagSummary {
  readonly path: string;
  /** Nanoseconds of log time; undefined in an empty bag. */
  readonly startTime: bigint | undefined;
  readonly endTime: bigint | undefined;
  readonly topics: readonly TopicSummary[];
  readonly clouds: readonly CloudSummary[];
  readonly images: readonly ImageSummary[];
  readonly cameraInfos: readonly CameraInfoSummary[];
  readonly undecodable: readonly UndecodableTopic[];
  readonly nearMisses: readonly NearMiss[];
  /** Topics with transforms, those named tf_static first. */
  readonly tfTopics: readonly string[];
  /** Frames with a parent, by name and topic. */
  readonly frames: readonly FrameSummary[];
  /** What is wrong with the bag, or with the messages that were looked at. */
  readonly warnings: readonly Fault[];
}
