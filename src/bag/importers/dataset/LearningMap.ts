import { Fault } from "../../../faults/Fault.js";

const UNKNOWN = 255;
const RAW_IDS = 65_536;

/** The learning id of points that take no part in scores. */
export const IGNORED_LEARNING_ID = 0;

/** How the raw label ids in the files of a benchmark become the ids that models learn. */
export class LearningMap {
  /** By learning id; the first is that of ignored points. */
  readonly classNames: readonly string[];
  /** By raw id. */
  readonly #table: Uint8Array;

  /**
   * @param classNames at most 255, by learning id
   * @param entries a learning id for each raw id (0..65535) that may occur
   */
  constructor(classNames: readonly string[], entries: Iterable<readonly [raw: number, learning: number]>) {
    this.classNames = classNames;
    this.#table = new Uint8Array(RAW_IDS).fill(UNKNOWN);
    for (const [raw, learning] of entries) {
      if (!Number.isInteger(raw) || raw < 0 || raw >= RAW_IDS) {
        throw new RangeError(`raw id ${raw} is not a whole number from 0 to ${RAW_IDS - 1}`);
      }
      if (classNames[learning] === undefined) throw new RangeError(`learning id ${learning} has no name`);
      this.#table[raw] = learning;
    }
  }

  /** The same, with more raw ids whose points are ignored. */
  ignoring(rawIds: readonly number[]): LearningMap {
    return new LearningMap(this.classNames, [
      ...this.entries(),
      ...rawIds.map((raw) => [raw, IGNORED_LEARNING_ID] as const),
    ]);
  }

  /** Known raw ids and their learning ids, by raw id. */
  *entries(): Generator<readonly [raw: number, learning: number], void, void> {
    for (const [raw, learning] of this.#table.entries()) if (learning !== UNKNOWN) yield [raw, learning];
  }

  /**
   * Learning ids [N] of raw ids [N].
   * @throws Fault `data-set-unreadable` that names the first unknown id
   */
  apply(raw: Uint8Array | Uint16Array): Uint8Array {
    const learned = new Uint8Array(raw.length);
    for (let point = 0; point < raw.length; point++) {
      const learning = this.#table[raw[point]!]!;
      if (learning === UNKNOWN) {
        throw new Fault(
          "data-set-unreadable",
          `label ${raw[point]!} of point ${point} is not in the learning map`,
        );
      }
      learned[point] = learning;
    }
    return learned;
  }
}
