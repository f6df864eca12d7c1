import { IGNORED_LEARNING_ID, type LearningMap } from "../bag/importers/dataset/LearningMap.js";
import { NUSCENES_LIDARSEG } from "../bag/importers/nuscenes/lidarsegClasses.js";
import { parseLabelFile } from "../bag/importers/semantickitti/labelFile.js";
import { SEMANTIC_KITTI } from "../bag/importers/semantickitti/semanticKittiClasses.js";
import type { LabelTables } from "./ConfusionMatrix.js";
import { IGNORED, LabelTable } from "./LabelTable.js";

/** How a benchmark stores labels in files, and which of them count. */
export interface LabelFormat {
  /** What its files end with. */
  readonly extension: string;
  /** The scored classes. */
  readonly classNames: readonly string[];
  readonly tables: LabelTables;
  /** Which classes the mean of the benchmark is over: see `ConfusionMatrix.meanIou`. */
  readonly mean: "present" | "all";
  /**
   * Label ids [N] of a file.
   * @throws Fault `data-set-unreadable`
   */
  parse(bytes: Uint8Array): Uint8Array | Uint16Array;
}

export const LABEL_FORMATS = {
  /**
   * semantic-kitti-api, evaluate_semantics.py and np_ioueval.py: raw ids in both files; points without a true class
   * are left out, a prediction without class is a miss; the mean is over all 19 classes.
   */
  semantickitti: {
    extension: ".label",
    classNames: scoredNames(SEMANTIC_KITTI),
    tables: { predicted: rawTable(SEMANTIC_KITTI), truth: rawTable(SEMANTIC_KITTI) },
    mean: "all",
    parse: parseLabelFile,
  },
  /**
   * nuscenes-devkit, eval/lidarseg: the truth has raw ids, predictions have those of the 16 challenge classes and must
   * name one for each point; the mean is over the classes that occur.
   */
  "nuscenes-lidarseg": {
    extension: "_lidarseg.bin",
    classNames: scoredNames(NUSCENES_LIDARSEG),
    tables: { predicted: learningTable(NUSCENES_LIDARSEG), truth: rawTable(NUSCENES_LIDARSEG) },
    mean: "present",
    parse: (bytes) => bytes,
  },
} as const satisfies Readonly<Record<string, LabelFormat>>;

export type LabelFormatName = keyof typeof LABEL_FORMATS;

function scoredNames({ classNames }: LearningMap): readonly string[] {
  return classNames.filter((_, id) => id !== IGNORED_LEARNING_ID);
}

/** Learning id 0 is ignored, the others are the class indexes from 1 on. */
function rawTable(map: LearningMap): LabelTable {
  return new LabelTable(
    [...map.entries()].map(([raw, id]) => [raw, id === IGNORED_LEARNING_ID ? IGNORED : id - 1]),
  );
}

function learningTable(map: LearningMap): LabelTable {
  return new LabelTable(scoredNames(map).map((_, index) => [index + 1, index]));
}
