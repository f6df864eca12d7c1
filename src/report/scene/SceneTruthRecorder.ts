import type { ConfusionMatrix } from "../../evaluation/ConfusionMatrix.js";
import type { LabelComparison } from "../../evaluation/labelComparison.js";
import { IGNORED } from "../../evaluation/LabelTable.js";
import { ModeConfusion } from "../../evaluation/ModeConfusion.js";
import type { LabellingMode } from "../../perception/FusionPolicy.js";
import { NO_CLASS } from "../../scene/packedScan.js";
import type { SceneMatrix, SceneTruth } from "../../scene/SceneIndex.js";
import type { SceneClasses } from "./SceneClasses.js";

export interface TruthOfScan {
  /** [N] slots; NO_CLASS where the truth is not known. */
  readonly slots: Uint8Array;
  readonly right: number;
  readonly judged: number;
}

/** Compares labels with ground truth, scan by scan, by the rules of `evaluateBag`. */
export class SceneTruthRecorder {
  readonly #comparison: LabelComparison;
  readonly #confusion: ModeConfusion;
  readonly #modes = new Set<string>();

  constructor(comparison: LabelComparison) {
    this.#comparison = comparison;
    this.#confusion = new ModeConfusion(comparison.classNames);
  }

  /**
   * @param labels [N] ids of the cloud
   * @param truth [N] as the cloud has it
   * @param mode scans of unknown mode count in the total alone
   */
  add(labels: Uint32Array, truth: Uint32Array, mode: string | undefined, classes: SceneClasses): TruthOfScan {
    const { tables, classNames } = this.#comparison;
    this.#confusion.add(isMode(mode) ? mode : "image-free", labels, truth, tables);
    this.#modes.add(mode ?? "unknown");
    const slotOfIndex = classNames.map((name) => classes.slotOfName(name));
    const slots = new Uint8Array(truth.length);
    let [right, judged] = [0, 0];
    for (let point = 0; point < truth.length; point++) {
      const index = tables.truth.classIndexOf(truth[point]!);
      slots[point] = index === IGNORED ? NO_CLASS : slotOfIndex[index]!;
      if (index === IGNORED) continue;
      judged++;
      if (tables.predicted.classIndexOf(labels[point]!) === index) right++;
    }
    return { slots, right, judged };
  }

  /** Undefined before the first scan. */
  result(): SceneTruth | undefined {
    if (this.#modes.size === 0) return undefined;
    const matrices = [matrixOf("all scans", this.#confusion.total())];
    if (this.#modes.size > 1 && [...this.#modes].every(isMode)) {
      for (const mode of this.#modes as Set<LabellingMode>) {
        matrices.push(matrixOf(`${mode} scans`, this.#confusion.of(mode)));
      }
    }
    return { classNames: this.#comparison.classNames, matrices };
  }
}

function isMode(mode: string | undefined): mode is LabellingMode {
  return mode === "fused" || mode === "image-free";
}

function matrixOf(title: string, matrix: ConfusionMatrix): SceneMatrix {
  return {
    title,
    counts: [...matrix.toCounts()],
    iou: matrix.classScores().map(({ iou }) => iou ?? null),
    meanIou: matrix.meanIou("present") ?? null,
    accuracy: matrix.overallAccuracy() ?? null,
  };
}
