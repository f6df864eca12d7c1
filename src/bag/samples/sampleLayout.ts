import type { DistortionModel } from "../../camera/distortion.js";

/** The layout of a sample folder; docs/training-samples.md says what everything means. */

export const SAMPLES_FORMAT = "ditr-samples";
/** Raised when a reader of the former layout would misread the folder. */
export const SAMPLES_VERSION = 3;

/** What the header calls the numbers in `distortion`. */
export const DISTORTION_MODELS = [
  "none",
  "plumb_bob",
  "rational_polynomial",
  "thin_prism",
  "equidistant",
] as const satisfies readonly DistortionModel[];

export const COEFFICIENTS = 14;

/** Columns of `points.npy`. */
export const POINT_FIELDS = ["x", "y", "z", "intensity"] as const;

type Kind = "<i8" | "<f8";
type Column = readonly [name: string, kind: Kind, shape: readonly number[]];

export const SCAN_COLUMNS = [
  ["bag", "<i8", []],
  ["stamp", "<i8", []],
  ["first_point", "<i8", []],
  ["points", "<i8", []],
  ["not_measured", "<i8", []],
  ["labelled", "<i8", []],
  ["first_view", "<i8", []],
  ["views", "<i8", []],
  ["first_box", "<i8", []],
  ["boxes", "<i8", []],
  ["pose", "<f8", [4, 4]],
] as const satisfies readonly Column[];

export const BOX_COLUMNS = [
  ["class", "<i8", []],
  ["points", "<i8", []],
  ["center", "<f8", [3]],
  ["size", "<f8", [3]],
  ["yaw", "<f8", []],
] as const satisfies readonly Column[];

export const VIEW_COLUMNS = [
  ["camera", "<i8", []],
  ["stamp", "<i8", []],
  ["width", "<i8", []],
  ["height", "<i8", []],
  ["picture", "<i8", [2]],
  ["semantic", "<i8", [2]],
  ["regions", "<i8", [2]],
  ["distortion", "<i8", []],
  ["k", "<f8", [3, 3]],
  ["coefficients", "<f8", [COEFFICIENTS]],
  ["cloud_to_camera", "<f8", [4, 4]],
] as const satisfies readonly Column[];

/** A row by its columns: integers as bigint or number, matrices row by row. */
export type Row<Columns extends readonly Column[]> = Readonly<
  Record<Columns[number][0], number | bigint | readonly number[]>
>;

/** The dtype of the columns as Python writes it. */
export function structuredType(columns: readonly Column[]): string {
  const fields = columns.map(([name, kind, shape]) =>
    shape.length === 0
      ? `('${name}', '${kind}')`
      : `('${name}', '${kind}', (${shape.join(", ")}${shape.length === 1 ? "," : ""}))`,
  );
  return `[${fields.join(", ")}]`;
}

/** The bytes of one row. Throws a RangeError when a value has another number of elements than its column. */
export function encodeRow<Columns extends readonly Column[]>(
  columns: Columns,
  row: Row<Columns>,
): Uint8Array {
  const elements = columns.map(([, , shape]) => shape.reduce((product, extent) => product * extent, 1));
  const bytes = new Uint8Array(8 * elements.reduce((sum, count) => sum + count, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  columns.forEach(([name, kind], column) => {
    const value: number | bigint | readonly number[] = row[name as Columns[number][0]];
    const values: readonly (number | bigint)[] = typeof value === "object" ? value : [value];
    if (values.length !== elements[column])
      throw new RangeError(`${name} has ${values.length} elements instead of ${elements[column]!}`);
    for (const element of values) {
      if (kind === "<f8") view.setFloat64(at, Number(element), true);
      else view.setBigInt64(at, BigInt(element), true);
      at += 8;
    }
  });
  return bytes;
}
