import { Fault } from "../faults/Fault.js";

/** Class index of ids that do not take part. */
export const IGNORED = -1;
const UNKNOWN = -2;
const LARGEST_ID = 65_535;

/** From the label ids of a cloud or a data set to the indexes of the evaluated classes, as an array look-up. */
export class LabelTable {
  /** By id. */
  readonly #classIndex: Int32Array;

  /**
   * `ids` gives the class index, or `IGNORED`, of every id that may occur (a data set's learning map).
   * Throws a Fault `invalid-configuration` for an id that is not an integer in 0..65535.
   */
  constructor(ids: Iterable<readonly [id: number, classIndex: number]>) {
    const entries = [...ids];
    for (const [id] of entries) {
      if (!Number.isInteger(id) || id < 0 || id > LARGEST_ID) {
        throw new Fault(
          "invalid-configuration",
          `label id ${id} is not a whole number from 0 to ${LARGEST_ID}`,
        );
      }
    }
    this.#classIndex = new Int32Array(Math.max(0, ...entries.map(([id]) => id + 1))).fill(UNKNOWN);
    for (const [id, classIndex] of entries) this.#classIndex[id] = classIndex;
  }

  /** Ids 0..count-1 are the class indexes themselves; `ignored` ids, which may be any, are ignored. */
  static identity(count: number, ignored: readonly number[] = []): LabelTable {
    const classes = Array.from({ length: count }, (_, index) => [index, index] as const);
    return new LabelTable([...classes, ...ignored.map((id) => [id, IGNORED] as const)]);
  }

  /** Throws a Fault `data-set-unreadable` for an id that the table does not have. */
  classIndexOf(id: number): number {
    const classIndex = this.#classIndex[id] ?? UNKNOWN;
    if (classIndex === UNKNOWN) {
      throw new Fault("data-set-unreadable", `label ${id} is not in the label map`);
    }
    return classIndex;
  }

  /** The largest class index. */
  get largestClassIndex(): number {
    return this.#classIndex.reduce((largest, index) => Math.max(largest, index), IGNORED);
  }
}
