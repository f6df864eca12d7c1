import type { OrientedBox } from "./OrientedBox.js";

/** How much turned boxes have in common; Python has the same in `training/ditr_train/geometry/boxes.py`. */

type Point = readonly [x: number, y: number];

/** Of a footprint, in lengths and widths, counterclockwise. */
const CORNERS: readonly Point[] = [
  [0.5, 0.5],
  [-0.5, 0.5],
  [-0.5, -0.5],
  [0.5, -0.5],
];

/** Corners as seen from above, counterclockwise, metres. */
export function footprint({ center: [x, y], size: [length, width], yaw }: OrientedBox): Point[] {
  const [cos, sin] = [Math.cos(yaw), Math.sin(yaw)];
  return CORNERS.map(([along, across]) => {
    const [dx, dy] = [along * length, across * width];
    return [cos * dx - sin * dy + x, sin * dx + cos * dy + y];
  });
}

/** Intersection over union of the volumes; 0 where both have none. */
export function boxOverlap(a: OrientedBox, b: OrientedBox): number {
  const height =
    Math.min(a.center[2] + a.size[2] / 2, b.center[2] + b.size[2] / 2) -
    Math.max(a.center[2] - a.size[2] / 2, b.center[2] - b.size[2] / 2);
  if (!(height > 0)) return 0;
  const distance = Math.hypot(a.center[0] - b.center[0], a.center[1] - b.center[1]);
  if (!(distance < Math.hypot(a.size[0], a.size[1]) / 2 + Math.hypot(b.size[0], b.size[1]) / 2)) return 0;
  const shared = sharedArea(footprint(a), footprint(b)) * height;
  const union = volume(a) + volume(b) - shared;
  return union > 0 ? shared / union : 0;
}

function volume({ size: [length, width, height] }: OrientedBox): number {
  return length * width * height;
}

/**
 * Area of what two convex polygons, counterclockwise, have in common. I. Sutherland and G. Hodgman, Reentrant polygon
 * clipping, Communications of the ACM 17, 1974: the first polygon is cut along each edge of the second.
 */
function sharedArea(first: readonly Point[], second: readonly Point[]): number {
  let polygon = first;
  for (const [index, start] of second.entries()) {
    const end = second[(index + 1) % second.length]!;
    // Positive to the left of the edge, that is inside.
    const sides = polygon.map(
      ([x, y]) => (end[0] - start[0]) * (y - start[1]) - (end[1] - start[1]) * (x - start[0]),
    );
    const kept: Point[] = [];
    for (const [corner, point] of polygon.entries()) {
      const before = polygon.at(corner - 1)!;
      const [sideBefore, side] = [sides.at(corner - 1)!, sides[corner]!];
      if (side >= 0 !== sideBefore >= 0) {
        const share = sideBefore / (sideBefore - side);
        kept.push([before[0] + share * (point[0] - before[0]), before[1] + share * (point[1] - before[1])]);
      }
      if (side >= 0) kept.push(point);
    }
    polygon = kept;
    if (polygon.length === 0) return 0;
  }
  // About a corner: coordinates far from the origin would lose digits.
  const [x0, y0] = polygon[0]!;
  const area = polygon.reduce((sum, [x1, y1], index) => {
    const [x2, y2] = polygon[(index + 1) % polygon.length]!;
    return sum + (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0);
  }, 0);
  return Math.max(0, area / 2);
}
