/** A box that stands upright. */
export interface OrientedBox {
  /** Metres. */
  readonly center: readonly [x: number, y: number, z: number];
  /** Metres: along the heading, across it, and up. */
  readonly size: readonly [length: number, width: number, height: number];
  /** Radians about z, counterclockwise from x: the direction of the length. */
  readonly yaw: number;
}

/** The box under a column-major 4x4 of a rigid motion; where that tilts, the box stays upright. */
export function movedBox({ center, size, yaw }: OrientedBox, m: Float64Array): OrientedBox {
  const [x, y, z] = center;
  const at = (row: number): number => m[row]! * x + m[4 + row]! * y + m[8 + row]! * z + m[12 + row]!;
  const [cos, sin] = [Math.cos(yaw), Math.sin(yaw)];
  const heading = (row: number): number => m[row]! * cos + m[4 + row]! * sin;
  return { center: [at(0), at(1), at(2)], size, yaw: Math.atan2(heading(1), heading(0)) };
}

/** How many of the points [N, 3] are in the box, its faces included; NaN is nowhere. */
export function pointsWithin(
  { center, size, yaw }: OrientedBox,
  xyz: Float32Array | Float64Array,
  each?: (point: number) => void,
): number {
  const [cx, cy, cz] = center;
  const [length, width, height] = size.map((extent) => extent / 2) as [number, number, number];
  const reach = length + width;
  const [cos, sin] = [Math.cos(yaw), Math.sin(yaw)];
  let count = 0;
  for (let at = 0; at < xyz.length; at += 3) {
    const dx = xyz[at]! - cx;
    if (!(Math.abs(dx) <= reach)) continue;
    const dy = xyz[at + 1]! - cy;
    if (!(Math.abs(dy) <= reach) || !(Math.abs(xyz[at + 2]! - cz) <= height)) continue;
    if (Math.abs(cos * dx + sin * dy) > length || Math.abs(cos * dy - sin * dx) > width) continue;
    count++;
    each?.(at / 3);
  }
  return count;
}
