import { footprint } from "./boxOverlap.js";
import type { OrientedBox } from "./OrientedBox.js";

export type Point3 = readonly [x: number, y: number, z: number];

/** The edges of a box and a stroke on its bottom from the centre to the front, each from one end to the other, metres. */
export function boxStrokes(box: OrientedBox): (readonly [Point3, Point3])[] {
  const [x, y, z] = box.center;
  const [length, , height] = box.size;
  const corners = footprint(box);
  const at = (index: number, level: number): Point3 => [...corners[index % 4]!, z + level * height];
  const edges = corners.flatMap((_, index) => [
    [at(index, -0.5), at(index + 1, -0.5)] as const,
    [at(index, 0.5), at(index + 1, 0.5)] as const,
    [at(index, -0.5), at(index, 0.5)] as const,
  ]);
  const front: Point3 = [
    x + (Math.cos(box.yaw) * length) / 2,
    y + (Math.sin(box.yaw) * length) / 2,
    z - height / 2,
  ];
  return [...edges, [[x, y, z - height / 2], front]];
}
