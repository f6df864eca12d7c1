import { NOT_PAINTED } from "./paintedClasses.js";
import { PointRaster } from "./PointRaster.js";

/** How points of the cloud's frame (x forward, y left, z up, metres) become pixels of a picture. */
export interface ScanView {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /**
   * [4, 4], row-major, over (x, y, z, 1): rows u * w, v * w, depth, w. u and v are pixels from the upper left corner
   * of the picture; the smaller depth hides the larger; w is 1 in a parallel projection, otherwise the distance in
   * metres along the line of sight.
   */
  readonly projection: Float64Array;
  /** Pixels across of a point at w = 1, before the limits below. */
  readonly pointDiameter: number;
  readonly smallestDiameter: number;
  readonly largestDiameter: number;
}

/** Nothing nearer to the viewer is shown, in metres. */
const NEAR = 0.1;

/** Horizontal opening angle of the perspective view. */
const FIELD_OF_VIEW = (62 * Math.PI) / 180;

/**
 * From behind and above the sensor, along its x axis. `range`: metres from the sensor that the view is made for;
 * the viewer stands farther off where the scan reaches farther.
 */
export function viewFromBehind(width: number, height: number, range: number): ScanView {
  const eye = [-0.3 * range, 0, 0.26 * range] as const;
  const pitch = (27 * Math.PI) / 180;
  const [cos, sin] = [Math.cos(pitch), Math.sin(pitch)];
  const focal = width / 2 / Math.tan(FIELD_OF_VIEW / 2);
  const [cu, cv] = [width / 2, height * 0.42];
  // Optical axes in the cloud's frame: right (0, -1, 0), down (-sin, 0, -cos), forward (cos, 0, -sin).
  const along = [cos, 0, -sin, -cos * eye[0] + sin * eye[2]] as const;
  const down = [-sin, 0, -cos, sin * eye[0] + cos * eye[2]] as const;
  const projection = Float64Array.of(
    ...[cu * along[0], -focal, cu * along[2], cu * along[3]],
    ...[0, 1, 2, 3].map((column) => focal * down[column]! + cv * along[column]!),
    ...along,
    ...along,
  );
  return {
    width,
    height,
    projection,
    pointDiameter: focal * 0.0016 * range,
    smallestDiameter: 1.6,
    largestDiameter: 4,
  };
}

/** Straight down, x up and y to the left of the picture, `range` metres to its nearest edges. */
export function viewFromAbove(width: number, height: number, range: number): ScanView {
  const scale = Math.min(width, height) / 2 / range;
  const projection = Float64Array.of(
    ...[0, -scale, 0, width / 2],
    ...[-scale, 0, 0, height / 2],
    ...[0, 0, -1, 0],
    ...[0, 0, 0, 1],
  );
  return { width, height, projection, pointDiameter: 1.7, smallestDiameter: 1.7, largestDiameter: 1.7 };
}

/** Where (x, y, z) is in the picture, or undefined where it is behind the viewer. */
export function projectToView(view: ScanView, x: number, y: number, z: number): [number, number] | undefined {
  const p = view.projection;
  const w = p[12]! * x + p[13]! * y + p[14]! * z + p[15]!;
  if (w < NEAR) return undefined;
  return [(p[0]! * x + p[1]! * y + p[2]! * z + p[3]!) / w, (p[4]! * x + p[5]! * y + p[6]! * z + p[7]!) / w];
}

/** `xyz` [N, 3]; `colors` as of PaintedPoints. */
export function rasterizeScan(view: ScanView, xyz: Float32Array, colors: Int32Array): PointRaster {
  const raster = new PointRaster(view.width, view.height);
  const { pointDiameter, smallestDiameter, largestDiameter } = view;
  const [u0, u1, u2, u3, v0, v1, v2, v3, d0, d1, d2, d3, w0, w1, w2, w3] =
    view.projection as unknown as Matrix4;
  for (let point = 0, at = 0; point < colors.length; point++, at += 3) {
    const color = colors[point]!;
    if (color === NOT_PAINTED) continue;
    const x = xyz[at]!;
    const y = xyz[at + 1]!;
    const z = xyz[at + 2]!;
    const w = w0 * x + w1 * y + w2 * z + w3;
    if (w < NEAR) continue;
    const u = (u0 * x + u1 * y + u2 * z + u3) / w;
    const v = (v0 * x + v1 * y + v2 * z + v3) / w;
    const depth = d0 * x + d1 * y + d2 * z + d3;
    const diameter = Math.min(Math.max(pointDiameter / w, smallestDiameter), largestDiameter);
    raster.paint(u, v, depth, diameter, color);
  }
  return raster;
}

type Four = [number, number, number, number];
type Matrix4 = [...Four, ...Four, ...Four, ...Four];
