import type { LabellingMode } from "../perception/FusionPolicy.js";
import { ConfusionMatrix, type LabelArray, type LabelTables } from "./ConfusionMatrix.js";

/** Confusion matrices apart by mode, so that the scores say what the cameras contributed. */
export class ModeConfusion {
  readonly #classNames: readonly string[];
  readonly #matrices: Readonly<Record<LabellingMode, ConfusionMatrix>>;

  constructor(classNames: readonly string[]) {
    this.#classNames = classNames;
    this.#matrices = {
      fused: new ConfusionMatrix(classNames),
      "image-free": new ConfusionMatrix(classNames),
    };
  }

  /** As `ConfusionMatrix.add`, for a scan that was labelled in this mode. */
  add(mode: LabellingMode, predicted: LabelArray, truth: LabelArray, tables: LabelTables): void {
    this.#matrices[mode].add(predicted, truth, tables);
  }

  of(mode: LabellingMode): ConfusionMatrix {
    return this.#matrices[mode];
  }

  /** Both modes together, as they are now. */
  total(): ConfusionMatrix {
    const total = new ConfusionMatrix(this.#classNames);
    for (const matrix of Object.values(this.#matrices)) total.merge(matrix);
    return total;
  }
}
