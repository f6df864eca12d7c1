import { mat4 } from "gl-matrix";
import type { CameraModel } from "./CameraModel.js";
import { distorter } from "./distortion.js";

/** Metres along the optical axis; nothing nearer is projected. */
export const NEAR = 0.1;

/** Results of `projectPoints`; [N], valid up to the count that was asked for. */
export interface ProjectedPoints {
  /** Pixels, integer = pixel centre; meaningless where not visible. */
  u: Float64Array;
  v: Float64Array;
  /** Metres along the optical axis. */
  depth: Float64Array;
  /** 1 where in front of the camera, within the valid radius of its lens, and inside the image. */
  visible: Uint8Array;
}

export function emptyProjection(): ProjectedPoints {
  return {
    u: new Float64Array(0),
    v: new Float64Array(0),
    depth: new Float64Array(0),
    visible: new Uint8Array(0),
  };
}

/**
 * Projects `count` points (x, y, z float32, cloud frame) into a camera, in float64, by the rules of
 * docs/graph-contract.md, "Projection". `cloudToOptical`: 16 doubles, column-major. Arrays in `out` are
 * replaced by larger ones when too small, otherwise reused. Points that are not finite are not visible.
 */
export function projectPoints(
  model: CameraModel,
  cloudToOptical: Float64Array,
  xyz: Float32Array,
  count: number,
  out: ProjectedPoints,
): void {
  if (out.u.length < count) {
    out.u = new Float64Array(count);
    out.v = new Float64Array(count);
    out.depth = new Float64Array(count);
    out.visible = new Uint8Array(count);
  }
  const { u, v, depth, visible } = out;
  const m = new Float64Array(16);
  mat4.multiply(m, model.fromOptical, cloudToOptical);
  const [m00, m10, m20] = [m[0]!, m[1]!, m[2]!];
  const [m01, m11, m21] = [m[4]!, m[5]!, m[6]!];
  const [m02, m12, m22] = [m[8]!, m[9]!, m[10]!];
  const [m03, m13, m23] = [m[12]!, m[13]!, m[14]!];
  const { fx, fy, cx, cy, skew, width, height } = model;
  const [right, bottom] = [width - 0.5, height - 0.5];
  const distort = distorter(model.distortion, model.coefficients, model.validRadius);
  const distorted = new Float64Array(2);
  for (let i = 0, j = 0; i < count; i++, j += 3) {
    const x = xyz[j]!;
    const y = xyz[j + 1]!;
    const z = xyz[j + 2]!;
    const along = m20 * x + m21 * y + m22 * z + m23;
    depth[i] = along;
    visible[i] = 0;
    // Written so that NaN fails.
    if (!(along > NEAR)) continue;
    const a = (m00 * x + m01 * y + m02 * z + m03) / along;
    const b = (m10 * x + m11 * y + m12 * z + m13) / along;
    if (!distort(a, b, distorted)) continue;
    const pixelU = fx * distorted[0]! + skew * distorted[1]! + cx;
    const pixelV = fy * distorted[1]! + cy;
    if (!(pixelU >= -0.5 && pixelU < right && pixelV >= -0.5 && pixelV < bottom)) continue;
    u[i] = pixelU;
    v[i] = pixelV;
    visible[i] = 1;
  }
}
