import type { CameraInfo, Header } from "../../../messages/types.js";

/** Pixels; integer coordinates are pixel centres. */
export interface Intrinsics {
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
}

/** The CameraInfo of images without distortion: K in both matrices, no rotation. */
export function pinholeCameraInfo(
  header: Header,
  { fx, fy, cx, cy }: Intrinsics,
  [width, height]: readonly [number, number],
): CameraInfo {
  return {
    header,
    height,
    width,
    distortionModel: "plumb_bob",
    d: [0, 0, 0, 0, 0],
    k: [fx, 0, cx, 0, fy, cy, 0, 0, 1],
    r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    p: [fx, 0, cx, 0, 0, fy, cy, 0, 0, 0, 1, 0],
    binningX: 0,
    binningY: 0,
    roi: { xOffset: 0, yOffset: 0, height: 0, width: 0, doRectify: false },
  };
}

/**
 * Of a 3x3 matrix, or a larger one with it in its corner, row-major; undefined when it is none of a camera.
 * @param columns of the matrix
 */
export function intrinsicsOf(matrix: readonly number[], columns = 3): Intrinsics | undefined {
  const [fx, cx, fy, cy] = [0, 2, columns + 1, columns + 2].map((i) => matrix[i]);
  if (fx === undefined || cx === undefined || fy === undefined || cy === undefined) return undefined;
  const finite = matrix.every(Number.isFinite);
  return finite && fx > 0 && fy > 0 && matrix[2 * columns + 2] === 1 ? { fx, fy, cx, cy } : undefined;
}
