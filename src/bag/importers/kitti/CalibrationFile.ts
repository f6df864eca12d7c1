import { Fault } from "../../../faults/Fault.js";
import { readText, readTextIfThere } from "../dataset/dataSetFiles.js";
import { orthonormalityError } from "../dataset/poseFromMatrix.js";

/** Lines of `name: number number ...`; lines with other values (calib_time) are kept and not looked at. */
export class CalibrationFile {
  readonly #file: string;
  readonly #entries: ReadonlyMap<string, string>;

  private constructor(file: string, text: string) {
    this.#file = file;
    this.#entries = new Map(
      text
        .split("\n")
        .filter((line) => line.includes(":"))
        .map((line) => [line.slice(0, line.indexOf(":")).trim(), line.slice(line.indexOf(":") + 1).trim()]),
    );
  }

  /** @throws Fault `data-set-unreadable` */
  static async read(file: string): Promise<CalibrationFile> {
    return new CalibrationFile(file, await readText(file));
  }

  /** As `read`; undefined when there is no such file. */
  static async readIfThere(file: string): Promise<CalibrationFile | undefined> {
    const text = await readTextIfThere(file);
    return text === undefined ? undefined : new CalibrationFile(file, text);
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /**
   * A 3x3 matrix, row-major, that is a rotation up to the digits of the file.
   * @throws Fault `data-set-unreadable`
   */
  rotation(name: string): readonly number[] {
    return this.#rotation(name, this.numbers(name, 9));
  }

  /**
   * The rotation and the translation in a 3x4 matrix.
   * @throws Fault `data-set-unreadable`
   */
  rigid(name: string): { readonly rotation: readonly number[]; readonly translation: readonly number[] } {
    const m = this.numbers(name, 12);
    const rotation = m.filter((_, i) => i % 4 !== 3);
    return {
      rotation: this.#rotation(name, rotation),
      translation: m.filter((_, i) => i % 4 === 3),
    };
  }

  /**
   * The 3x4 matrix of a rectified camera, row-major.
   * @throws Fault `data-set-unreadable`
   */
  projection(name: string): readonly number[] {
    const projection = this.numbers(name, 12);
    if (!(projection[0]! > 0 && projection[5]! > 0) || projection[10] !== 1) {
      throw new Fault(
        "data-set-unreadable",
        `${this.#file}: ${name} is not a projection: focal lengths ${projection[0]!} and ${projection[5]!}, last row scale ${projection[10]!}`,
      );
    }
    return projection;
  }

  /** @throws Fault `data-set-unreadable` when the entry is missing or is not that many numbers */
  numbers(name: string, count: number): readonly number[] {
    const text = this.#entries.get(name);
    if (text === undefined) throw new Fault("data-set-unreadable", `${this.#file} has no entry ${name}`);
    const numbers = text.split(/\s+/).map(Number);
    if (text === "" || numbers.length !== count || !numbers.every(Number.isFinite)) {
      throw new Fault(
        "data-set-unreadable",
        `${this.#file}: ${name} must be ${count} numbers, it is '${text}'`,
      );
    }
    return numbers;
  }

  #rotation(name: string, matrix: readonly number[]): readonly number[] {
    const skew = orthonormalityError(matrix);
    if (skew > 1e-3) {
      throw new Fault(
        "data-set-unreadable",
        `${this.#file}: ${name} is not a rotation: its columns are off orthonormal by ${skew.toPrecision(3)}`,
      );
    }
    return matrix;
  }
}
