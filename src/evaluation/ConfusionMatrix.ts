import { Fault } from "../faults/Fault.js";
import { IGNORED, type LabelTable } from "./LabelTable.js";

/** One label id per point. */
export type LabelArray = Uint8Array | Uint16Array | Int32Array | Uint32Array;

/** A row of the table of scores; a ratio of nothing to nothing is undefined. */
export interface ClassScores {
  readonly name: string;
  /** TP / (TP + FP + FN) */
  readonly iou: number | undefined;
  /** TP / (TP + FP) */
  readonly precision: number | undefined;
  /** TP / (TP + FN) */
  readonly recall: number | undefined;
  /** Points whose truth is this class. */
  readonly truthPoints: number;
  /** Points with a truth that were labelled as this class. */
  readonly predictedPoints: number;
}

/** Which classes a mean is over: see `ConfusionMatrix.meanIou`. */
export type ClassesOfMean = "present" | "truth" | "all";

export interface LabelTables {
  /** Where an ignored id means "no label given", which counts as a miss of the true class. */
  readonly predicted: LabelTable;
  /** Where points with an ignored id are left out of everything. */
  readonly truth: LabelTable;
}

/**
 * Counts of true class against predicted class, and the scores that follow from them. Points without a true
 * class are left out; points with one that got no label are misses, so leaving hard points unlabelled does
 * not help (as in SemanticKITTI's np_ioueval.py).
 */
export class ConfusionMatrix {
  readonly classNames: readonly string[];
  /** [C, C + 1] row-major: row = truth, column = prediction, last column = no label. Doubles: exact to 2^53. */
  readonly #counts: Float64Array;

  constructor(classNames: readonly string[]) {
    this.classNames = classNames;
    this.#counts = new Float64Array(classNames.length * (classNames.length + 1));
  }

  /**
   * Adds a labelled cloud: `predicted` and `truth` [N], in the same order of points.
   * Throws a Fault `data-set-unreadable` for different lengths and for ids that their table does not have,
   * and then has added nothing; a RangeError when a table leads beyond the classes.
   */
  add(predicted: LabelArray, truth: LabelArray, tables: LabelTables): void {
    if (predicted.length !== truth.length) {
      throw new Fault(
        "data-set-unreadable",
        `there are ${predicted.length} predicted labels for ${truth.length} true labels`,
      );
    }
    const classes = this.classNames.length;
    for (const [name, table] of Object.entries(tables) as [string, LabelTable][]) {
      if (table.largestClassIndex >= classes) {
        throw new RangeError(`the ${name} table has class ${table.largestClassIndex} of ${classes}`);
      }
    }
    const added = new Float64Array(this.#counts.length);
    for (let point = 0; point < truth.length; point++) {
      const row = tables.truth.classIndexOf(truth[point]!);
      const column = tables.predicted.classIndexOf(predicted[point]!);
      if (row === IGNORED) continue;
      const cell = row * (classes + 1) + (column === IGNORED ? classes : column);
      added[cell] = added[cell]! + 1;
    }
    this.#addCounts(added);
  }

  /** Adds another matrix of the same classes. Throws a RangeError for other classes. */
  merge(other: ConfusionMatrix): void {
    if (other.classNames.join("\n") !== this.classNames.join("\n")) {
      throw new RangeError(
        `classes [${other.classNames.join(", ")}] cannot be added to [${this.classNames.join(", ")}]`,
      );
    }
    this.#addCounts(other.#counts);
  }

  /** Points of class `truth` that were labelled `predicted`; undefined asks for those that got no label. */
  count(truth: number, predicted: number | undefined): number {
    return this.#counts[truth * (this.classNames.length + 1) + (predicted ?? this.classNames.length)]!;
  }

  /** A copy of the counts, [C, C + 1] row-major: row = truth, column = prediction, last column = no label. */
  toCounts(): Float64Array {
    return this.#counts.slice();
  }

  /** Points that have a true class. */
  get points(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** One row per class, in the order of the classes. */
  classScores(): ClassScores[] {
    return this.classNames.map((name, index) => {
      const hits = this.count(index, index);
      const truthPoints = this.#truthPoints(index);
      const predictedPoints = this.#predictedPoints(index);
      return {
        name,
        iou: ratio(hits, truthPoints + predictedPoints - hits),
        precision: ratio(hits, predictedPoints),
        recall: ratio(hits, truthPoints),
        truthPoints,
        predictedPoints,
      };
    });
  }

  /**
   * Mean IoU.
   * - `present`: over the classes that occur in the truth or in the predictions (nuScenes, scikit-learn); undefined
   *   when none does. The rule for scenes that lack classes. A class that is only predicted counts as 0.
   * - `truth`: over the classes that occur in the truth; undefined when none does.
   * - `all`: over all classes, absent ones count as 0 (SemanticKITTI). The rule for comparisons on whole benchmarks.
   */
  meanIou(classes: ClassesOfMean): number | undefined {
    return mean(this.#classesOf(classes).map(({ iou }) => iou ?? 0));
  }

  /** How many classes that mean is over. */
  classesOfMean(classes: ClassesOfMean): number {
    return this.#classesOf(classes).length;
  }

  /** Mean recall over the classes that occur in the truth (mAcc); undefined when none does. */
  meanAccuracy(): number | undefined {
    return mean(
      this.classScores()
        .map(({ recall }) => recall)
        .filter((recall) => recall !== undefined),
    );
  }

  /** The share of points with a true class that got it; undefined without points. */
  overallAccuracy(): number | undefined {
    const hits = this.classNames.reduce((sum, _, index) => sum + this.count(index, index), 0);
    return ratio(hits, this.points);
  }

  #classesOf(classes: ClassesOfMean): readonly ClassScores[] {
    return this.classScores().filter(({ iou, truthPoints }) => {
      switch (classes) {
        case "present":
          return iou !== undefined;
        case "truth":
          return truthPoints > 0;
        case "all":
          return true;
      }
    });
  }

  #truthPoints(row: number): number {
    const columns = this.classNames.length + 1;
    return this.#counts.subarray(row * columns, (row + 1) * columns).reduce((sum, count) => sum + count, 0);
  }

  #predictedPoints(column: number): number {
    return this.classNames.reduce((sum, _, row) => sum + this.count(row, column), 0);
  }

  #addCounts(counts: Float64Array): void {
    for (let cell = 0; cell < counts.length; cell++) this.#counts[cell] = this.#counts[cell]! + counts[cell]!;
  }
}

function ratio(part: number, whole: number): number | undefined {
  return whole === 0 ? undefined : part / whole;
}

function mean(values: readonly number[]): number | undefined {
  return ratio(
    values.reduce((sum, value) => sum + value, 0),
    values.length,
  );
}
