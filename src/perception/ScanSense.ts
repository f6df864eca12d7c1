import { Fault } from "../faults/Fault.js";
import type { IntensityReading } from "../messages/IntensityReader.js";

/** Points of a scan as the model is given them, and what it takes. */
export interface ScanPointsToSense {
  /** [N, 3] metres in `frameId`; NaN where nothing was measured. */
  readonly xyz: Float32Array;
  /** Points exactly in the sensor, which measured nothing; NaN in `xyz`. */
  readonly noReturnCount: number;
  readonly frameId: string;
  /** Of the model: lowest x, y, z, then highest, metres. */
  readonly pointRange: readonly [number, number, number, number, number, number];
  /** Of the model, metres. */
  readonly gridSize: number;
}

/** Fewer points say nothing. */
const FEWEST_POINTS = 20;
/** Share of points without a return from which the scan is no scan: an open sky alone leaves more. */
const MOST_NO_RETURNS = 0.75;
/** Share of the measured points within the range of the model below which the range, or the coordinates, are wrong. */
const LEAST_INSIDE = 0.1;
/** Share of points at exactly the same place from which that is none: no sensor measures one twice. */
const MOST_REPEATED = 0.05;
/** Points that are compared with each other. */
const REPEAT_SAMPLES = 500;
/** Points that all lie in so few voxels are no scan of anything. */
const FEW_VOXELS = 3;
/** Share of intensities above full scale from which the scale is wrong: few things reflect so well. */
const MOST_BEYOND = 0.1;
/** Metres: no LiDAR measures farther, by the median of its points. */
const FARTHEST_MEDIAN = 400;
/** Points that distances are taken of. */
const SAMPLES = 2000;

/**
 * What about the points of a scan makes no sense to the model, one fault each, with the number, the frame and what to do.
 * No faults for a scan of fewer than 20 points.
 */
export function scanSense(points: ScanPointsToSense): Fault[] {
  const { xyz, noReturnCount, frameId, pointRange } = points;
  const count = xyz.length / 3;
  if (count < FEWEST_POINTS || looksSound(points)) return [];
  const { measured, inside } = countPoints(xyz, pointRange);
  if (noReturnCount >= MOST_NO_RETURNS * count) {
    return [
      implausible(
        `${share(noReturnCount, count)} of ${count} points in ${frameId} are at (0, 0, 0), which are no returns; ` +
          "look at the sensor and its driver, and whether x, y and z are filled in",
        false,
      ),
    ];
  }
  if (measured === 0) {
    return [
      implausible(
        `none of ${count} points in ${frameId} is finite; look at the sensor and its driver`,
        false,
      ),
    ];
  }
  if (inside < LEAST_INSIDE * measured) return [outOfRange(points, measured, inside)];
  const repeated = repeatedShare(xyz);
  if (repeated.share > MOST_REPEATED) {
    return [
      implausible(
        `${percent(repeated.share)} of ${count} points in ${frameId} are at exactly the same place, (${repeated.place.map((value) => Number(value.toPrecision(6))).join(", ")}), which ` +
          "looks like no returns that were moved with the sensor's frame; let the driver leave them out or send NaN, or label " +
          "the cloud as the sensor sent it",
        false,
      ),
    ];
  }
  const voxels = countVoxels(points, FEW_VOXELS + 1);
  if (inside >= 10 * FEWEST_POINTS && voxels <= FEW_VOXELS) {
    return [
      implausible(
        `all ${inside} points in ${frameId} lie in ${voxels} voxel${voxels === 1 ? "" : "s"} of ${points.gridSize} m; ` +
          "coordinates must be metres (REP 103): look at the unit that the driver sends",
        false,
      ),
    ];
  }
  return [];
}

/** The usual case at the cost of a few points: most of them take part, and not in few voxels. */
function looksSound(points: ScanPointsToSense): boolean {
  const { xyz, noReturnCount, pointRange } = points;
  const [x0, y0, z0, x1, y1, z1] = pointRange;
  const stride = 3 * Math.max(1, Math.floor(xyz.length / 3 / SAMPLES));
  let inside = 0;
  let looked = 0;
  for (let at = 0; at < xyz.length; at += stride, looked++) {
    const [x, y, z] = [xyz[at]!, xyz[at + 1]!, xyz[at + 2]!];
    if (x >= x0 && x < x1 && y >= y0 && y < y1 && z >= z0 && z < z1) inside++;
  }
  const enough = noReturnCount < (MOST_NO_RETURNS * xyz.length) / 3 && inside > looked / 2;
  return (
    enough && countVoxels(points, FEW_VOXELS + 1) > FEW_VOXELS && repeatedShare(xyz).share <= MOST_REPEATED
  );
}

/** What about the intensities of a scan makes no sense, or is a guess: one fault each, with what to do. */
export function intensitySense({ field, scale, beyond, fitted, constant }: IntensityReading): Fault[] {
  if (constant !== undefined) {
    return [
      new Fault(
        "feature-missing",
        `all values of ${field} are read as the same, the first is ${constant}: that tells the model nothing and costs quality; look at the driver, or name ` +
          "the field that is intensity with --intensity-field (parameter intensity_field)",
      ),
    ];
  }
  if (fitted !== undefined) {
    return [
      new Fault(
        "intensity-fitted",
        `${percent(fitted.beyondByte)} of the values of ${field} are above 255, and the cloud's layout ` +
          `(${fitted.fullScales.map((full) => `0..${full}`).join(" or ")}) has no scale that fits them: ${scale}, twice what 99 % ` +
          "of them stay below, counts as full; set what is with --intensity-scale (parameter intensity_scale)",
      ),
    ];
  }
  if (beyond <= MOST_BEYOND) return [];
  return [
    implausible(
      `${percent(beyond)} of the values of ${field} are above ${scale}, which counts as full, and are cut off there; ` +
        "set the scale with --intensity-scale (parameter intensity_scale)",
      false,
    ),
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function outOfRange(
  { xyz, frameId, pointRange }: ScanPointsToSense,
  measured: number,
  inside: number,
): Fault {
  const [x0, y0, z0, x1, y1, z1] = pointRange;
  const range = `x ${x0} to ${x1}, y ${y0} to ${y1}, z ${z0} to ${z1} m`;
  const { centre, spread } = extent(xyz);
  const [cx, cy, cz] = centre;
  const far = Math.hypot(cx, cy, cz);
  const where = `(${cx.toPrecision(6)}, ${cy.toPrecision(6)}, ${cz.toPrecision(4)})`;
  const number = inside === 0 ? `none of ${measured}` : `only ${inside} of ${measured}`;
  const found = `${number} points in ${frameId} ${inside === 1 ? "is" : "are"} within the range of the model (${range})`;
  if (spread > FARTHEST_MEDIAN) {
    return implausible(
      `${found}: half of them are ${spread.toPrecision(3)} or more from their middle, which looks like millimetres and not ` +
        "metres (REP 103); convert the coordinates in the driver",
      inside === 0,
    );
  }
  if (far > Math.max(2 * spread, 100)) {
    return implausible(
      `${found}: they lie around ${where}, which looks like coordinates of a map (UTM) and not of a sensor; give the ` +
        "vehicle's frame with --target-frame (parameter target_frame), with transforms to it, or label the cloud as the sensor sent it",
      inside === 0,
    );
  }
  return implausible(
    `${found}: they lie around ${where}; use a model with a larger range, or a frame on the vehicle with --target-frame ` +
      "(parameter target_frame)",
    inside === 0,
  );
}

function implausible(sentence: string, nothingLeft: boolean): Fault {
  return new Fault("implausible-points", sentence, { severity: nothingLeft ? "error" : "warning" });
}

function share(part: number, whole: number): string {
  return part === whole ? "all" : `${part}`;
}

/** Finite points, and those of them within the range. */
function countPoints(
  xyz: Float32Array,
  [x0, y0, z0, x1, y1, z1]: ScanPointsToSense["pointRange"],
): { measured: number; inside: number } {
  let outside = 0;
  let inside = 0;
  for (let at = 0; at < xyz.length; at += 3) {
    const x = xyz[at]!;
    const y = xyz[at + 1]!;
    const z = xyz[at + 2]!;
    if (x >= x0 && x < x1 && y >= y0 && y < y1 && z >= z0 && z < z1) inside++;
    // Infinities and NaN make this NaN.
    else if ((x + y + z) * 0 === 0) outside++;
  }
  return { measured: inside + outside, inside };
}

/** The place that most of some points spread over the scan share exactly, and their share (0..1) of these. */
function repeatedShare(xyz: Float32Array): {
  readonly share: number;
  readonly place: readonly [number, number, number];
} {
  const looked = Math.min(REPEAT_SAMPLES, xyz.length / 3);
  const stride = Math.floor(xyz.length / 3 / looked);
  const at = (index: number): number => 3 * stride * index;
  // Numbers that two places seldom share; NaN comes last.
  const keys = Float64Array.from(
    { length: looked },
    (_, i) => xyz[at(i)]! + 1e3 * Math.PI * xyz[at(i) + 1]! + 1e6 * Math.E * xyz[at(i) + 2]!,
  );
  const sorted = keys.slice().sort();
  let [most, key, run] = [1, NaN, 1];
  for (let i = 1; i < looked; i++) {
    run = sorted[i] === sorted[i - 1] ? run + 1 : 1;
    if (run > most) [most, key] = [run, sorted[i]!];
  }
  const first = at(Math.max(0, keys.indexOf(key)));
  return { share: most / looked, place: [xyz[first]!, xyz[first + 1]!, xyz[first + 2]!] };
}

/** Occupied voxels, up to `most`. */
function countVoxels({ xyz, gridSize }: ScanPointsToSense, most: number): number {
  const cells = new Set<string>();
  for (let at = 0; at < xyz.length && cells.size < most; at += 3) {
    const [x, y, z] = [xyz[at]!, xyz[at + 1]!, xyz[at + 2]!];
    if (!(Number.isFinite(x) && Number.isFinite(y) && Number.isFinite(z))) continue;
    cells.add(`${Math.floor(x / gridSize)} ${Math.floor(y / gridSize)} ${Math.floor(z / gridSize)}`);
  }
  return cells.size;
}

/** The median of each coordinate, and the median distance from there, of finite points spread over the scan. */
function extent(xyz: Float32Array): { centre: readonly [number, number, number]; spread: number } {
  const stride = 3 * Math.max(1, Math.floor(xyz.length / 3 / SAMPLES));
  const sample: (readonly [number, number, number])[] = [];
  for (let at = 0; at < xyz.length; at += stride) {
    const point = [xyz[at]!, xyz[at + 1]!, xyz[at + 2]!] as const;
    if (point.every(Number.isFinite)) sample.push(point);
  }
  if (sample.length === 0) return { centre: [0, 0, 0], spread: 0 };
  const [x, y, z] = [0, 1, 2].map((axis) => median(sample.map((point) => point[axis]!))) as [
    number,
    number,
    number,
  ];
  return { centre: [x, y, z], spread: median(sample.map((p) => Math.hypot(p[0] - x, p[1] - y, p[2] - z))) };
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
