import { mat3, quat } from "gl-matrix";
import { Fault } from "../../../faults/Fault.js";
import type { Pose } from "../../../transforms/Pose.js";

/** What printed digits may take from a rotation. */
const ROTATION_TOLERANCE = 5e-3;

/**
 * The pose x' = rotation * x + translation.
 * @param rotation 3x3, row-major; a rotation up to the digits it was printed with: the nearest one is taken
 * @param translation metres
 */
export function poseFromMatrix(rotation: readonly number[], translation: readonly number[]): Pose {
  const [tx, ty, tz] = translation;
  // gl-matrix computes in the precision of the arrays it is given, here doubles, and is column-major.
  const columns = mat3.transpose(matrix(), nearestRotation(rotation));
  const [x, y, z, w] = quat.normalize(
    [0, 0, 0, 1],
    quat.fromMat3([0, 0, 0, 1], columns),
  ) as readonly number[];
  return { translation: [tx!, ty!, tz!], rotation: [x!, y!, z!, w!] };
}

/**
 * The orthogonal factor of the polar decomposition, by Newton's iteration R <- (R + R^-T) / 2
 * (Higham, "Computing the polar decomposition", 1986).
 */
export function nearestRotation(nearly: readonly number[]): readonly number[] {
  let rotation = nearly;
  for (let change = 1, iteration = 0; change > 1e-15 && iteration < 20; iteration++) {
    const inverse = mat3.invert(matrix(), rotation);
    if (inverse === null) throw new RangeError(`[${nearly.join(", ")}] is singular and near no rotation`);
    const inverseTransposed = mat3.transpose(matrix(), inverse) as readonly number[];
    const next = rotation.map((value, i) => (value + inverseTransposed[i]!) / 2);
    change = Math.max(...next.map((value, i) => Math.abs(value - rotation[i]!)));
    rotation = next;
  }
  return rotation;
}

/** The largest difference of the products of the columns of a 3x3 matrix, row-major, from those of a rotation. */
export function orthonormalityError(r: readonly number[]): number {
  const column = (i: number, j: number): number =>
    r[i]! * r[j]! + r[i + 3]! * r[j + 3]! + r[i + 6]! * r[j + 6]!;
  return Math.max(
    ...[0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => Math.abs(column(i, j) - (i === j ? 1 : 0)))),
  );
}

/**
 * The pose in a 3x4 or 4x4 matrix, row-major.
 * @throws Fault `data-set-unreadable` when it holds no rotation
 */
export function poseFromRows(rows: readonly number[]): Pose {
  const rotation = [0, 1, 2, 4, 5, 6, 8, 9, 10].map((i) => rows[i]!);
  const error = orthonormalityError(rotation);
  if (!rows.every(Number.isFinite) || !(error <= ROTATION_TOLERANCE)) {
    throw new Fault(
      "data-set-unreadable",
      `[${rows.join(", ")}] is no pose: its columns are off orthonormal by ${error.toPrecision(3)}`,
    );
  }
  return poseFromMatrix(rotation, [rows[3]!, rows[7]!, rows[11]!]);
}

function matrix(): mat3 {
  return [0, 0, 0, 0, 0, 0, 0, 0, 0];
}
