import { appendFields } from "../../../messages/appendFields.js";
import { LABEL_INFO_TYPE } from "../../../messages/labelInfo.js";
import { decodePointCloud2 } from "../../../messages/pointCloud2.js";
import { type PointCloud2, PointFieldType } from "../../../messages/types.js";
import type { RecordedMessage } from "../../RecordedMessage.js";

/** Field of imported and simulated clouds that holds the true class id of each point. */
export const GROUND_TRUTH_FIELD = "ground_truth";

/** What the ids of that field mean: the data set's own classes, which need not be those of a model. */
export const GROUND_TRUTH_INFO_TOPIC = "/ground_truth/label_info";

/** The cloud of N points with `labels` [N] as its field `ground_truth` (uint8). */
export function withGroundTruth(cloud: PointCloud2, labels: Uint8Array): PointCloud2 {
  const column = { name: GROUND_TRUTH_FIELD, datatype: PointFieldType.UINT8, values: labels };
  return decodePointCloud2(appendFields(cloud, [column]));
}

/** The names of the ids 0, 1, ... */
export function groundTruthInfo(stamp: bigint, classNames: readonly string[]): RecordedMessage {
  return {
    topic: GROUND_TRUTH_INFO_TOPIC,
    type: LABEL_INFO_TYPE,
    stamp,
    message: {
      header: { stamp, frameId: "" },
      classMap: classNames.map((className, classId) => ({ classId, className })),
      threshold: 0,
    },
  };
}
