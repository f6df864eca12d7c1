import { GROUND_TRUTH_INFO_TOPIC } from "../bag/importers/dataset/groundTruth.js";
import { IGNORED_LEARNING_ID } from "../bag/importers/dataset/LearningMap.js";
import { labelInfoTopic, readLabelInfo } from "../bag/labelInfos.js";
import type { BagReader } from "../bag/types.js";
import { Fault } from "../faults/Fault.js";
import { LABEL_INFO_TYPE } from "../messages/labelInfo.js";
import type { LabelInfo } from "../messages/types.js";
import type { LabelTables } from "./ConfusionMatrix.js";
import { IGNORED, LabelTable } from "./LabelTable.js";

/** The class of LabelInfo that stands for "no label". */
const UNLABELED_NAME = "unlabeled";

/** How the labels of a bag's clouds are compared with their ground truth. */
export interface LabelComparison {
  /** Of the labels, without the one that stands for no label. */
  readonly classNames: readonly string[];
  /** From the ids in the clouds to indexes of `classNames`. */
  readonly tables: LabelTables;
}

/**
 * By the names that a bag gives to its labels and to its ground truth. Throws a Fault("data-set-unreadable") when the bag
 * has no LabelInfo, or its ground truth has classes that its labels do not have.
 */
export async function labelComparison(reader: BagReader): Promise<LabelComparison> {
  const topic = labelInfoTopic(reader);
  if (topic === undefined) {
    throw new Fault("data-set-unreadable", `${reader.path} has no ${LABEL_INFO_TYPE} that names its classes`);
  }
  const { classMap } = await classesOn(reader, topic);
  const classes = classMap.filter(({ className }) => className !== UNLABELED_NAME);
  const ignored = classMap.filter(({ className }) => className === UNLABELED_NAME);
  const predicted = new LabelTable([
    ...classes.map(({ classId }, index) => [classId, index] as const),
    ...ignored.map(({ classId }) => [classId, IGNORED] as const),
  ]);
  const classNames = classes.map(({ className }) => className);
  return {
    classNames,
    tables: { predicted, truth: (await readTruthTable(reader, classNames)) ?? predicted },
  };
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
