import type { Random } from "./Random.js";

/** What one LiDAR makes of the light that comes back: its intensities, its lost returns, its errors of range. */
export interface LidarResponse {
  /** Intensity that a facing surface of reflectance 1 gives near by, before `dark` is taken off. */
  readonly gain: number;
  /** Taken off every intensity: what sends back less than this reads 0. */
  readonly dark: number;
  /** Share of a surface's light that does not depend on how slanted it is. */
  readonly diffuse: number;
  /** Share of an intensity that is gone at the maximum range: what calibration leaves of the fall with range. */
  readonly rangeFall: number;
  /** Standard deviation of the intensity: as a share of it, and on top. */
  readonly noiseShare: number;
  readonly noiseFloor: number;
  /** Times the preset's standard deviation of a range. */
  readonly rangeNoise: number;
  /** Share of beams that are lost for no reason of the surface. */
  readonly loss: number;
  /** Share of the beams at an edge whose range lies between the two surfaces. */
  readonly mixed: number;
}

/** The sensor that drives have unless they ask for another. */
export const STANDARD_RESPONSE: LidarResponse = {
  gain: 1,
  dark: 0,
  diffuse: 0.4,
  rangeFall: 0.3,
  noiseShare: 0.08,
  noiseFloor: 0.012,
  rangeNoise: 1,
  loss: 0.01,
  mixed: 0,
};

/**
 * Some sensor: on real scans the median intensity of roads was 0.02 (VLP-32C), 0.05 (HDL-32E of nuScenes) and 0.25
 * (HDL-64E of KITTI), and half of the points on KITTI's cars read 0 while none of the standard sensor's do.
 */
export function randomResponse(random: Random): LidarResponse {
  return {
    gain: Math.exp(random.uniform(Math.log(0.3), Math.log(2.2))),
    dark: random.chance(0.7) ? random.uniform(0, 0.15) : 0,
    diffuse: random.uniform(0.3, 0.9),
    rangeFall: random.uniform(0, 0.9),
    noiseShare: random.uniform(0.05, 0.3),
    noiseFloor: random.uniform(0, 0.03),
    rangeNoise: random.uniform(0.5, 2),
    loss: random.uniform(0, 0.06),
    mixed: random.uniform(0, 0.5),
  };
}

/**
 * Intensity (before noise; may be below 0) of a surface of `reflectance` at `range` metres.
 * `facing` is the cosine between the beam and the surface's normal.
 */
export function intensityOf(
  response: LidarResponse,
  reflectance: number,
  facing: number,
  range: number,
  maximumRange: number,
): number {
  const { gain, dark, diffuse, rangeFall } = response;
  const returned =
    reflectance * (diffuse + (1 - diffuse) * facing) * (1 - (rangeFall * range) / maximumRange);
  return gain * (returned - dark);
}
