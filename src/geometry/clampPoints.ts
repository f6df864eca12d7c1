import type { GeometryConfig } from "./types.js";

/**
 * Moves points into a range, as Pointcept's PointClip does; its bounds are rounded to float32.
 * @param xyz [N, 3] metres, left as they are
 * @param out [N, 3] NaN where a point is not finite
 */
export function clampPoints(
  xyz: Float32Array,
  pointCount: number,
  pointRange: GeometryConfig["pointRange"],
  out: Float32Array,
): void {
  const [lowX, lowY, lowZ, highX, highY, highZ] = pointRange.map(Math.fround) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let at = 0; at < 3 * pointCount; at += 3) {
    const x = xyz[at]!;
    const y = xyz[at + 1]!;
    const z = xyz[at + 2]!;
    if (Number.isFinite(x) && Number.isFinite(y) && Number.isFinite(z)) {
      out[at] = clampNumber(x, lowX, highX);
      out[at + 1] = clampNumber(y, lowY, highY);
      out[at + 2] = clampNumber(z, lowZ, highZ);
    } else {
      out.fill(NaN, at, at + 3);
    }
  }
}

/** A number moved into a range. */
export function clampNumber(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}
