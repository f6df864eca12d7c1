import type { TransformBuffer } from "./TransformBuffer.js";

/** Nanoseconds from pose to pose: a vehicle's path between two of them is straight to a hundredth of a millimetre. */
const STEP = 1_000_000;
/** Poses of a scan whose times are spread over the 2 s around its stamp. */
const MOST_POSES = 2001;

/** Where a sensor was while it measured a scan, as plain data. */
export interface ScanMotion {
  /** Nanoseconds after the scan's stamp of the first pose. */
  readonly first: number;
  /** Nanoseconds from pose to pose. */
  readonly step: number;
  /** [B, 16] column-major 4x4: from the sensor's frame at each time to the scan's frame at the scan's stamp. */
  readonly poses: Float64Array;
}

export interface ScanMotionOptions {
  /** Frame of the points. */
  readonly sensorFrame: string;
  /** The stamp from which the points' times count, nanoseconds. */
  readonly sensorStamp: bigint;
  /** First and last of the points' times, nanoseconds after `sensorStamp`, within a second of it. */
  readonly span: readonly [first: number, last: number];
  /** The frame, and the time, that the points are wanted in. */
  readonly scanFrame: string;
  readonly scanStamp: bigint;
  /** A frame in which the world stands still (usually odom). */
  readonly fixedFrame: string;
}

/** Looks up the sensor's way through the scan. Throws a TransformFault when some of it is not known. */
export function scanMotion(transforms: TransformBuffer, options: ScanMotionOptions): ScanMotion {
  const { sensorFrame, sensorStamp, span, scanFrame, scanStamp, fixedFrame } = options;
  const first = Math.floor(span[0]);
  const last = Math.ceil(span[1]);
  const count = Math.min(MOST_POSES, Math.max(1, Math.ceil((last - first) / STEP)) + 1);
  // The poses end with the last point: there may be no transform beyond it yet.
  const step = Math.max(1, last - first) / (count - 1);
  const poses = new Float64Array(16 * count);
  for (let i = 0; i < count; i++) {
    const offset = i === count - 1 ? last : Math.round(first + i * step);
    const stamp = sensorStamp + BigInt(offset);
    poses.set(transforms.lookupThrough(scanFrame, scanStamp, sensorFrame, stamp, fixedFrame), 16 * i);
  }
  return { first, step, poses };
}

/** Coordinates [N, 3], metres. */
export type Coordinates = Float32Array | Float64Array;

/**
 * Points as the sensor would have seen them from the scan's frame at the scan's stamp, for a world that stands still. Between two poses their matrices are interpolated: at 1 rad/s and 1 ms that is 1e-7 of the
 * distance off the great arc.
 * @param xyz [N, 3] metres in the sensor's frame
 * @param offsets [N] nanoseconds after the sensor's stamp; NaN counts as the time of the motion nearest to the stamp
 * @param out [N, 3] where they go, in place unless it is given: all is computed in float64
 */
export function deskew(
  xyz: Coordinates,
  offsets: Float64Array,
  { first, step, poses }: ScanMotion,
  out: Coordinates = xyz,
): void {
  const lastInterval = poses.length / 16 - 2;
  for (let point = 0, at = 0; at < xyz.length; point++, at += 3) {
    const offset = offsets[point]!;
    // `offset - offset` is 0 or NaN.
    const position = ((offset - offset === 0 ? offset : 0) - first) / step;
    const interval = position > lastInterval ? lastInterval : position > 0 ? Math.floor(position) : 0;
    const ratio = Math.min(1, Math.max(0, position - interval));
    const a = 16 * interval;
    const b = a + 16;
    const [x, y, z] = [xyz[at]!, xyz[at + 1]!, xyz[at + 2]!];
    for (let row = 0; row < 3; row++) {
      const from =
        poses[a + row]! * x + poses[a + 4 + row]! * y + poses[a + 8 + row]! * z + poses[a + 12 + row]!;
      const to =
        poses[b + row]! * x + poses[b + 4 + row]! * y + poses[b + 8 + row]! * z + poses[b + 12 + row]!;
      out[at + row] = from + (to - from) * ratio;
    }
  }
}

/** Moves points [N, 3] by a column-major 4x4, in place unless `out` is given: all is computed in float64. */
export function transformPoints(xyz: Coordinates, m: Float64Array, out: Coordinates = xyz): void {
  for (let at = 0; at < xyz.length; at += 3) {
    const [x, y, z] = [xyz[at]!, xyz[at + 1]!, xyz[at + 2]!];
    out[at] = m[0]! * x + m[4]! * y + m[8]! * z + m[12]!;
    out[at + 1] = m[1]! * x + m[5]! * y + m[9]! * z + m[13]!;
    out[at + 2] = m[2]! * x + m[6]! * y + m[10]! * z + m[14]!;
  }
}
