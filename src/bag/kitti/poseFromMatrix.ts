import { mat3, quat } from "gl-matrix";
import type { Pose } from "../../transforms/Pose.js";

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

function matrix(): mat3 {
  return [0, 0, 0, 0, 0, 0, 0, 0, 0];
}
