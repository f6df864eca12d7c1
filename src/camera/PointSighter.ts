import type { CameraModel } from "./CameraModel.js";
import { DepthBuffer } from "./DepthBuffer.js";
import { emptyProjection, projectPoints } from "./projection.js";

/** The points of a scan that are in an image, whether or not the camera sees them. */
export interface PointsInImage {
  /** [M] ascending. */
  readonly points: Uint32Array;
  /** [M] pixels, integer = pixel centre. */
  readonly u: Float32Array;
  readonly v: Float32Array;
  /** [M] 1 where the camera sees the point, 0 where nearer points of the scan hide it. */
  readonly seen: Uint8Array;
}

/** Finds where a scan's points are in images. Memory is kept from image to image. */
export class PointSighter {
  readonly #projected = emptyProjection();
  readonly #depthBuffer = new DepthBuffer();

  /**
   * @param cloudToOptical 16 doubles, column-major
   * @param xyz [N, 3] cloud frame, metres; points that are not finite are in no image
   */
  sight(model: CameraModel, cloudToOptical: Float64Array, xyz: Float32Array): PointsInImage {
    const count = xyz.length / 3;
    const projected = this.#projected;
    projectPoints(model, cloudToOptical, xyz, count, projected);
    this.#depthBuffer.fill(model, projected, count);
    let inside = 0;
    for (let point = 0; point < count; point++) inside += projected.visible[point]!;
    const sighted = {
      points: new Uint32Array(inside),
      u: new Float32Array(inside),
      v: new Float32Array(inside),
      seen: new Uint8Array(inside),
    };
    for (let point = 0, at = 0; point < count; point++) {
      if (projected.visible[point] === 0) continue;
      const u = projected.u[point]!;
      const v = projected.v[point]!;
      sighted.points[at] = point;
      sighted.u[at] = u;
      sighted.v[at] = v;
      sighted.seen[at] = this.#depthBuffer.occludes(u, v, projected.depth[point]!) ? 0 : 1;
      at++;
    }
    return sighted;
  }
}
