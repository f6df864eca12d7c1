import { encodeLabelInfo } from "../messages/labelInfo.js";
import type { BundleManifest } from "../model/bundleManifest.js";

/** vision_msgs/msg/LabelInfo of a model: what the ids in labelled clouds mean. */
export function labelInfoMessage(
  { unlabeled_id, classes }: BundleManifest,
  stamp: bigint,
): Uint8Array<ArrayBuffer> {
  const classMap = [
    { classId: unlabeled_id, className: "unlabeled" },
    ...classes.map(({ id, name }) => ({ classId: id, className: name })),
  ];
  return encodeLabelInfo({ header: { stamp, frameId: "" }, classMap, threshold: 0 });
}
