import { mat4, quat } from "gl-matrix";

/** Pose of a child frame in its parent: metres, unit quaternion x, y, z, w. */
export interface RigidPose {
  readonly translation: readonly [x: number, y: number, z: number];
  readonly rotation: readonly [x: number, y: number, z: number, w: number];
}

/** Rotation by roll about x, then pitch about y, then yaw about z (radians). */
export function rigidPose(
  translation: readonly [number, number, number],
  yaw: number,
  pitch = 0,
  roll = 0,
): RigidPose {
  const q: [number, number, number, number] = [0, 0, 0, 1];
  quat.rotateZ(q, q, yaw);
  quat.rotateY(q, q, pitch);
  quat.rotateX(q, q, roll);
  return { translation, rotation: q };
}

/** Column-major 4x4 in doubles: parent_T_child. */
export function toMatrix(pose: RigidPose): Float64Array {
  const out = new Float64Array(16);
  mat4.fromRotationTranslation(out, [...pose.rotation], [...pose.translation]);
  return out;
}

/** parent_T_child times child_T_grandchild. */
export function multiply(a: Float64Array, b: Float64Array, out: Float64Array): Float64Array {
  mat4.multiply(out, a, b);
  return out;
}

/** x right, y down, z forward seen from x forward, y left, z up (REP 103). */
export const OPTICAL_ROTATION: RigidPose = { translation: [0, 0, 0], rotation: [-0.5, 0.5, -0.5, 0.5] };

/** The pose with its axes turned by another pose's rotation, in its own frame. */
export function turned(pose: RigidPose, by: RigidPose): RigidPose {
  const q: [number, number, number, number] = [0, 0, 0, 1];
  quat.multiply(q, [...pose.rotation], [...by.rotation]);
  return { translation: pose.translation, rotation: q };
}
