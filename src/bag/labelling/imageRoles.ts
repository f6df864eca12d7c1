import { Fault } from "../../faults/Fault.js";
import { isRectifiedTopic } from "../../messages/imageTopics.js";
import type { BagSummary, CameraInfoSummary, ImageSummary } from "./BagSummary.js";
import { withoutSlash } from "./frameTree.js";
import type { InputOverrides } from "./InputSelection.js";
import { listed } from "./listed.js";

/** REP-118 encodings, and the payload of compressed_depth_image_transport. */
export function isDepth({ encoding }: ImageSummary): boolean {
  return /^(16UC1|32FC1|mono16)\b/.test(encoding) || encoding.includes("compressedDepth");
}

/** `/front/image_raw/compressed` and `/front/image_raw` are both of `/front`. */
export function namespaceOf(imageTopic: string): string {
  const base = imageTopic.replace(/\/compressed(Depth)?$/, "");
  return base.slice(0, Math.max(0, base.lastIndexOf("/")));
}

/** What the user says, else the name. */
export function isRectified(imageTopic: string, { rectifiedTopics, rawTopics }: InputOverrides): boolean {
  if (rectifiedTopics?.includes(imageTopic) === true) return true;
  return rawTopics?.includes(imageTopic) !== true && isRectifiedTopic(imageTopic);
}

/**
 * The CameraInfo of an image: the one that is wanted, or the one beside it. Depth that lies in a namespace below its
 * camera's (`<camera>/depth/image`) may share the camera's, when that is for the same frame.
 */
export function infoOf(
  { cameraInfos }: BagSummary,
  image: ImageSummary,
  wanted?: string,
): CameraInfoSummary | undefined {
  const infoTopic = infoTopicOf(image, wanted);
  const info = cameraInfos.find(({ topic }) => topic === infoTopic);
  if (info !== undefined || wanted !== undefined || !isDepth(image)) return info;
  const above = `${namespaceOf(namespaceOf(image.topic))}/camera_info`;
  return cameraInfos.find(
    ({ topic, first }) =>
      topic === above && withoutSlash(first.header.frameId) === withoutSlash(image.frameId),
  );
}

function infoTopicOf({ topic }: ImageSummary, wanted?: string): string {
  return wanted ?? `${namespaceOf(topic)}/camera_info`;
}

export function withoutInfo({ cameraInfos }: BagSummary, image: ImageSummary, wanted?: string): Fault {
  return new Fault(
    "camera-info-missing",
    `${image.topic} has no CameraInfo: there is no ${infoTopicOf(image, wanted)}; CameraInfo is on: ${listed(cameraInfos)}`,
  );
}
