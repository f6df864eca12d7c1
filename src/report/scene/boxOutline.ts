import type { CameraModel } from "../../camera/CameraModel.js";
import { emptyProjection, projectPoints } from "../../camera/projection.js";
import type { SceneBox } from "../../scene/SceneIndex.js";

/** Places along an edge: lenses bend it, and the image cuts it off. */
const SAMPLES = 9;

/** Ends of the edges, as corners numbered by signs: 1 along the length, 2 along the width, 4 up. */
const EDGES = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((corner) =>
  [1, 2, 4].flatMap((axis) => ((corner & axis) === 0 ? [[corner, corner | axis] as const] : [])),
);

/**
 * The parts of a box's edges that are in an image: u, v of one end and of the other, as shares of the image.
 *
 * @param cloudToOptical 16 doubles, column-major, from the box's frame
 */
export function boxOutline(box: SceneBox, model: CameraModel, cloudToOptical: Float64Array): number[] {
  const xyz = new Float32Array(EDGES.length * SAMPLES * 3);
  EDGES.forEach(([from, to], edge) => {
    const [a, b] = [cornerOf(box, from), cornerOf(box, to)];
    for (let sample = 0; sample < SAMPLES; sample++) {
      const share = sample / (SAMPLES - 1);
      for (let axis = 0; axis < 3; axis++) {
        xyz[3 * (edge * SAMPLES + sample) + axis] = a[axis]! * (1 - share) + b[axis]! * share;
      }
    }
  });
  const projected = emptyProjection();
  projectPoints(model, cloudToOptical, xyz, xyz.length / 3, projected);
  const { u, v, visible } = projected;
  const outline: number[] = [];
  for (let edge = 0; edge < EDGES.length; edge++) {
    for (let sample = 1; sample < SAMPLES; sample++) {
      const at = edge * SAMPLES + sample;
      if (visible[at - 1] === 0 || visible[at] === 0) continue;
      for (const end of [at - 1, at]) {
        outline.push(rounded((u[end]! + 0.5) / model.width), rounded((v[end]! + 0.5) / model.height));
      }
    }
  }
  return outline;
}

/** Bits of `corner` say on which side it is. */
function cornerOf(
  { center, size, yaw }: Pick<SceneBox, "center" | "size" | "yaw">,
  corner: number,
): [number, number, number] {
  const [along, across, up] = size.map((extent, axis) => ((corner >> axis) & 1) * extent - extent / 2) as [
    number,
    number,
    number,
  ];
  const [cos, sin] = [Math.cos(yaw), Math.sin(yaw)];
  return [center[0] + cos * along - sin * across, center[1] + sin * along + cos * across, center[2] + up];
}

function rounded(share: number): number {
  return Math.round(share * 1e4) / 1e4;
}
