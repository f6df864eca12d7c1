/** A class as a picture shows it; `ClassSpec` of a bundle's manifest fits. */
export interface PaintedClass {
  readonly id: number;
  readonly name: string;
  /** Red, green, blue, 0 to 255. */
  readonly color: readonly [number, number, number];
}

/** [N] class ids. */
export type PointLabels = Uint8Array | Uint16Array | Uint32Array | Int32Array;

export interface PaintedPoints {
  /** [N] 0xRRGGBB; NOT_PAINTED for points that are not finite. */
  readonly colors: Int32Array;
  /** Points that are finite. */
  readonly count: number;
  /** The classes that finite points have, most points first; ties in the order of the class list. */
  readonly present: readonly ClassCount[];
}

export interface ClassCount extends PaintedClass {
  readonly count: number;
}

export const NOT_PAINTED = -1;

const UNLABELED: PaintedClass = { id: -1, name: "unlabeled", color: [98, 106, 118] };

/**
 * Gives every point the colour of its class and counts the classes. Labels that the class list does not have are
 * shown together as grey "unlabeled". `xyz` [N, 3]; a RangeError where it is not three numbers for each label.
 */
export function paintClasses(
  xyz: Float32Array,
  labels: PointLabels,
  classes: readonly PaintedClass[],
): PaintedPoints {
  if (xyz.length !== labels.length * 3) {
    throw new RangeError(`${labels.length} labels need ${labels.length * 3} coordinates, not ${xyz.length}`);
  }
  const known = [...classes, UNLABELED];
  const packed = Int32Array.from(known, ({ color: [red, green, blue] }) => (red << 16) | (green << 8) | blue);
  const slots = new Map(classes.map(({ id }, slot) => [id, slot]));
  const counts = new Uint32Array(known.length);
  const colors = new Int32Array(labels.length).fill(NOT_PAINTED);
  let count = 0;
  for (let point = 0, at = 0; point < labels.length; point++, at += 3) {
    if (!Number.isFinite(xyz[at]! + xyz[at + 1]! + xyz[at + 2]!)) continue;
    const slot = slots.get(labels[point]!) ?? classes.length;
    colors[point] = packed[slot]!;
    counts[slot]!++;
    count++;
  }
  const present = known
    .map((shown, slot) => ({ ...shown, count: counts[slot]! }))
    .filter((shown) => shown.count > 0)
    .sort((a, b) => b.count - a.count);
  return { colors, count, present };
}
