/** Points looked at for the extent of a scan. */
const SAMPLE_SIZE = 8192;
/** Share of the points within the range that is shown by default. */
const SHOWN_SHARE = 0.93;
const SMALLEST_RANGE = 2;
/** What an empty scan is shown with. */
const DEFAULT_RANGE = 40;

export interface ScanExtent {
  /** Metres, horizontally, from the sensor to nearly all points; one of few values, so that pictures in a row agree. */
  readonly range: number;
  /** z of the ground near the sensor, metres. */
  readonly ground: number;
}

/** `xyz` [N, 3]; points that are not finite are passed over. */
export function scanExtent(xyz: Float32Array): ScanExtent {
  const step = Math.max(1, Math.ceil(xyz.length / 3 / SAMPLE_SIZE)) * 3;
  const distances: number[] = [];
  const heights: number[] = [];
  for (let at = 0; at < xyz.length; at += step) {
    const distance = Math.hypot(xyz[at]!, xyz[at + 1]!);
    const height = xyz[at + 2]!;
    if (!Number.isFinite(distance + height)) continue;
    distances.push(distance);
    heights.push(height);
  }
  if (distances.length === 0) return { range: DEFAULT_RANGE, ground: 0 };
  const reach = Math.max(SMALLEST_RANGE, quantile(distances, SHOWN_SHARE));
  const near = heights.filter((_, point) => distances[point]! <= reach / 2);
  return { range: roundUp(reach), ground: near.length === 0 ? 0 : quantile(near, 0.2) };
}

/** The next of 1, 1.5, 2, 3, 4, 5, 7.5 and 10 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 1.5, 2, 3, 4, 5, 7.5, 10].find((factor) => factor * power >= value)!;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
