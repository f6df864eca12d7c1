import * as THREE from "three";
import type { SceneBox } from "../../scene/SceneIndex.js";

/** Ends of the edges of a box of size 1, and a stroke at its front. */
const EDGES: readonly (readonly [number, number, number])[] = [0, 1, 2, 3, 4, 5, 6, 7]
  .flatMap((corner) => [1, 2, 4].flatMap((axis) => ((corner & axis) === 0 ? [corner, corner | axis] : [])))
  .map((corner): [number, number, number] => [
    (corner & 1) - 0.5,
    ((corner >> 1) & 1) - 0.5,
    ((corner >> 2) & 1) - 0.5,
  ])
  .concat([
    [0, 0, -0.5],
    [0.5, 0, -0.5],
  ]);

/** The edges of boxes, each in its colour, with a stroke from the middle of its floor to its front. */
export function boxLines(
  boxes: readonly SceneBox[],
  colorOf: (box: SceneBox) => readonly [number, number, number],
): THREE.LineSegments {
  const corners: number[] = [];
  const colors: number[] = [];
  for (const box of boxes) {
    const { center, size, yaw } = box;
    const [cos, sin] = [Math.cos(yaw), Math.sin(yaw)];
    const { r, g, b } = new THREE.Color().setRGB(
      ...(colorOf(box).map((value) => value / 255) as [number, number, number]),
      THREE.SRGBColorSpace,
    );
    for (const [x, y, z] of EDGES) {
      const [along, across] = [x * size[0], y * size[1]];
      corners.push(center[0] + cos * along - sin * across);
      corners.push(center[1] + sin * along + cos * across, center[2] + z * size[2]);
      colors.push(r, g, b);
    }
  }
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.Float32BufferAttribute(corners, 3));
  geometry.setAttribute("color", new THREE.Float32BufferAttribute(colors, 3));
  const lines = new THREE.LineSegments(geometry, new THREE.LineBasicMaterial({ vertexColors: true }));
  lines.frustumCulled = false;
  return lines;
}
