/** Position and orientation of a child frame in its parent: maps child coordinates to parent coordinates. */
export interface Pose {
  /** Metres. */
  readonly translation: readonly [x: number, y: number, z: number];
  /** Unit quaternion. */
  readonly rotation: readonly [x: number, y: number, z: number, w: number];
}

export const IDENTITY: Pose = { translation: [0, 0, 0], rotation: [0, 0, 0, 1] };

type Vector = Pose["translation"];
type Quaternion = Pose["rotation"];

/** The Hamilton product: first b, then a. */
function multiply(a: Quaternion, b: Quaternion): Quaternion {
  const [ax, ay, az, aw] = a;
  const [bx, by, bz, bw] = b;
  return [
    aw * bx + ax * bw + ay * bz - az * by,
    aw * by - ax * bz + ay * bw + az * bx,
    aw * bz + ax * by - ay * bx + az * bw,
    aw * bw - ax * bx - ay * by - az * bz,
  ];
}

export function normalized([x, y, z, w]: Quaternion): Quaternion {
  const length = Math.hypot(x, y, z, w);
  return [x / length, y / length, z / length, w / length];
}

/** v + 2 q x (q x v + w v), q the vector part of the unit quaternion. */
function rotate([x, y, z, w]: Quaternion, [vx, vy, vz]: Vector): Vector {
  const tx = y * vz - z * vy + w * vx;
  const ty = z * vx - x * vz + w * vy;
  const tz = x * vy - y * vx + w * vz;
  return [vx + 2 * (y * tz - z * ty), vy + 2 * (z * tx - x * tz), vz + 2 * (x * ty - y * tx)];
}

/** First `b`, then `a`. */
export function compose(a: Pose, b: Pose): Pose {
  const [x, y, z] = rotate(a.rotation, b.translation);
  return {
    translation: [a.translation[0] + x, a.translation[1] + y, a.translation[2] + z],
    rotation: normalized(multiply(a.rotation, b.rotation)),
  };
}

export function inverse({ translation, rotation: [x, y, z, w] }: Pose): Pose {
  const rotation: Quaternion = [-x, -y, -z, w];
  const [tx, ty, tz] = rotate(rotation, translation);
  return { translation: [-tx, -ty, -tz], rotation };
}

/**
 * As tf2 interpolates: the translation linearly, the rotation along the shorter great arc (Shoemake 1985).
 * `ratio` 0 gives a, 1 gives b.
 */
export function interpolate(a: Pose, b: Pose, ratio: number): Pose {
  const [ax, ay, az, aw] = a.rotation;
  const [bx, by, bz, bw] = b.rotation;
  const sign = ax * bx + ay * by + az * bz + aw * bw < 0 ? -1 : 1;
  // Half angles from chord lengths: the arc cosine of the dot product loses half the digits near 0.
  const difference = Math.hypot(ax - sign * bx, ay - sign * by, az - sign * bz, aw - sign * bw);
  const sum = Math.hypot(ax + sign * bx, ay + sign * by, az + sign * bz, aw + sign * bw);
  const angle = 2 * Math.atan2(difference, sum);
  const sine = Math.sin(angle);
  const weightA = sine === 0 ? 1 - ratio : Math.sin((1 - ratio) * angle) / sine;
  const weightB = sign * (sine === 0 ? ratio : Math.sin(ratio * angle) / sine);
  const lerp = (from: number, to: number) => from + (to - from) * ratio;
  return {
    translation: [
      lerp(a.translation[0], b.translation[0]),
      lerp(a.translation[1], b.translation[1]),
      lerp(a.translation[2], b.translation[2]),
    ],
    rotation: normalized([
      weightA * ax + weightB * bx,
      weightA * ay + weightB * by,
      weightA * az + weightB * bz,
      weightA * aw + weightB * bw,
    ]),
  };
}

/** How far two poses are apart: metres, and radians of the smallest rotation between them. */
export function distance(a: Pose, b: Pose): { readonly metres: number; readonly radians: number } {
  const [ax, ay, az, aw] = a.rotation;
  const [bx, by, bz, bw] = b.rotation;
  const sign = ax * bx + ay * by + az * bz + aw * bw < 0 ? -1 : 1;
  // From chord lengths, as in `interpolate`.
  const difference = Math.hypot(ax - sign * bx, ay - sign * by, az - sign * bz, aw - sign * bw);
  const sum = Math.hypot(ax + sign * bx, ay + sign * by, az + sign * bz, aw + sign * bw);
  const metres = Math.hypot(
    a.translation[0] - b.translation[0],
    a.translation[1] - b.translation[1],
    a.translation[2] - b.translation[2],
  );
  return { metres, radians: 4 * Math.atan2(difference, sum) };
}

/** Metres, and radians: what is less apart is the same but for rounding. */
const ROUNDING = 1e-6;

/** In words how far two poses are apart; undefined for poses that are the same but for rounding. */
export function describeDistance(a: Pose, b: Pose): string | undefined {
  const { metres, radians } = distance(a, b);
  // A value that is not a number is another one's trouble.
  if (!(metres > ROUNDING || radians > ROUNDING)) return undefined;
  return `${Number(metres.toPrecision(3))} m and ${Number(((radians * 180) / Math.PI).toPrecision(3))} degrees`;
}

/** 16 doubles, column-major (gl-matrix's mat4 layout, but never in single precision). */
export function toMatrix({ translation, rotation: [x, y, z, w] }: Pose): Float64Array {
  // prettier-ignore
  return Float64Array.of(
    1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w), 0,
    2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w), 0,
    2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y), 0,
    translation[0], translation[1], translation[2], 1,
  );
}
