import { GROUND_TRUTH_FIELD } from "../bag/dataset/groundTruth.js";
import { OUTPUT_TOPICS } from "../bag/outputTopics.js";
import type { BagReader } from "../bag/types.js";
import { Fault } from "../faults/Fault.js";
import { decodeLabelInfo, LABEL_INFO_TYPE } from "../messages/labelInfo.js";
import { decodePointCloud2, pointCount } from "../messages/pointCloud2.js";
import { readColumn } from "../messages/pointColumns.js";
import type { LabelInfo } from "../messages/types.js";
import type { LabellingMode } from "../perception/FusionPolicy.js";
import { IGNORED, LabelTable } from "./LabelTable.js";
import { ModeConfusion } from "./ModeConfusion.js";

/** The class of LabelInfo that stands for "no label". */
const UNLABELED_NAME = "unlabeled";

export interface EvaluateBagOptions {
  /** Labelled clouds; the output topic of `ditr run` by default. */
  readonly labelledTopic?: string;
  /** Field with the true class ids, in the numbering of the bag's LabelInfo. */
  readonly truthField?: string;
  /** How the scan of this stamp was labelled; scans of unknown mode count as image-free. */
  readonly modeOf?: (stamp: bigint) => LabellingMode | undefined;
  readonly onScan?: () => void;
}

/**
 * Compares the labels of a bag's clouds with their ground truth. Throws a Fault("data-set-unreadable") when the bag
 * has no labelled clouds, no LabelInfo or no ground truth.
 */
export async function evaluateBag(
  reader: BagReader,
  options: EvaluateBagOptions = {},
): Promise<ModeConfusion> {
  const { labelledTopic = OUTPUT_TOPICS.labelled, truthField = GROUND_TRUTH_FIELD, modeOf, onScan } = options;
  const { classMap } = await readLabelInfo(reader);
  const classes = classMap.filter(({ className }) => className !== UNLABELED_NAME);
  const ignored = classMap.filter(({ className }) => className === UNLABELED_NAME);
  const table = new LabelTable([
    ...classes.map(({ classId }, index) => [classId, index] as const),
    ...ignored.map(({ classId }) => [classId, IGNORED] as const),
  ]);
  const confusion = new ModeConfusion(classes.map(({ className }) => className));
  let scans = 0;
  for await (const { data } of reader.messages({ topics: [labelledTopic] })) {
    const cloud = decodePointCloud2(data);
    const predicted = readColumn(cloud, "label", new Uint32Array(pointCount(cloud)));
    const truth = readColumn(cloud, truthField, new Uint32Array(pointCount(cloud)));
    const mode = modeOf?.(cloud.header.stamp) ?? "image-free";
    confusion.add(mode, predicted, truth, { predicted: table, truth: table });
    scans++;
    onScan?.();
  }
  if (scans === 0) throw new Fault("data-set-unreadable", `${reader.path} has no clouds on ${labelledTopic}`);
  return confusion;
}

async function readLabelInfo(reader: BagReader): Promise<LabelInfo> {
  const topic = reader.topics.find(({ type }) => type === LABEL_INFO_TYPE)?.topic;
  if (topic !== undefined) {
    for await (const { data } of reader.messages({ topics: [topic] })) return decodeLabelInfo(data);
  }
  throw new Fault("data-set-unreadable", `${reader.path} has no ${LABEL_INFO_TYPE} that names its classes`);
}
