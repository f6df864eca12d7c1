import { GROUND_TRUTH_FIELD, GROUND_TRUTH_INFO_TOPIC } from "../bag/importers/dataset/groundTruth.js";
import { IGNORED_LEARNING_ID } from "../bag/importers/dataset/LearningMap.js";
import { labelInfoTopic, readLabelInfo } from "../bag/labelInfos.js";
import { OUTPUT_TOPICS } from "../bag/labelling/outputTopics.js";
import type { BagReader } from "../bag/types.js";
import { Fault } from "../faults/Fault.js";
import { LABEL_INFO_TYPE } from "../messages/labelInfo.js";
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
  /** Field with the true class ids, in the numbering of /ground_truth/label_info or else of the labels. */
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
  const topic = labelInfoTopic(reader);
  if (topic === undefined) {
    throw new Fault("data-set-unreadable", `${reader.path} has no ${LABEL_INFO_TYPE} that names its classes`);
  }
  const { classMap } = await classesOn(reader, topic);
  const classes = classMap.filter(({ className }) => className !== UNLABELED_NAME);
  const ignored = classMap.filter(({ className }) => className === UNLABELED_NAME);
  const table = new LabelTable([
    ...classes.map(({ classId }, index) => [classId, index] as const),
    ...ignored.map(({ classId }) => [classId, IGNORED] as const),
  ]);
  const classNames = classes.map(({ className }) => className);
  const tables = { predicted: table, truth: (await readTruthTable(reader, classNames)) ?? table };
  const confusion = new ModeConfusion(classNames);
  let scans = 0;
  for await (const { data } of reader.messages({ topics: [labelledTopic] })) {
    const cloud = decodePointCloud2(data);
    const predicted = readColumn(cloud, "label", new Uint32Array(pointCount(cloud)));
    const truth = readColumn(cloud, truthField, new Uint32Array(pointCount(cloud)));
    const mode = modeOf?.(cloud.header.stamp) ?? "image-free";
    confusion.add(mode, predicted, truth, tables);
    scans++;
    onScan?.();
  }
  if (scans === 0) throw new Fault("data-set-unreadable", `${reader.path} has no clouds on ${labelledTopic}`);
  return confusion;
}

/**
 * By the names that an imported bag gives its ground truth; undefined when it gives none, and the ids are then those of
 * the labels. Points of the first class, the one that data sets ignore, are ignored.
 */
async function readTruthTable(
  reader: BagReader,
  classNames: readonly string[],
): Promise<LabelTable | undefined> {
  if (!reader.topics.some(({ topic }) => topic === GROUND_TRUTH_INFO_TOPIC)) return undefined;
  const { classMap } = await classesOn(reader, GROUND_TRUTH_INFO_TOPIC);
  const scored = classMap.filter(({ classId }) => classId !== IGNORED_LEARNING_ID);
  const unknown = scored.filter(({ className }) => !classNames.includes(className));
  if (unknown.length > 0) {
    throw new Fault(
      "data-set-unreadable",
      `the ground truth of ${reader.path} has classes that its labels do not have: ` +
        `${unknown.map(({ className }) => className).join(", ")}; labels have ${classNames.join(", ")}`,
    );
  }
  return new LabelTable([
    [IGNORED_LEARNING_ID, IGNORED],
    ...scored.map(({ classId, className }) => [classId, classNames.indexOf(className)] as const),
  ]);
}

async function classesOn(reader: BagReader, topic: string): Promise<LabelInfo> {
  const info = await readLabelInfo(reader, topic);
  if (info !== undefined) return info;
  throw new Fault("data-set-unreadable", `${reader.path} has no message on ${topic} that names its classes`);
}
