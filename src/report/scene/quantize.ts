/** Metres: no sensor is finer. */
const SMALLEST_STEP = 0.0005;
/** Values that are looked at for the range of a field. */
const SAMPLE_SIZE = 4096;

export interface QuantizedPositions {
  /** [K, 3] */
  readonly positions: Uint16Array;
  /** Metres: where 0 is, and how far 1 is from it. */
  readonly origin: [number, number, number];
  readonly step: number;
}

/** Positions of the points `kept` [K] of `xyz` [N, 3] metres, in 65,536 steps over the longest side of the box around them. */
export function quantizePositions(xyz: Float32Array, kept: Uint32Array): QuantizedPositions {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (const point of kept) {
    for (let axis = 0; axis < 3; axis++) {
      const value = xyz[3 * point + axis]!;
      if (value < low[axis]!) low[axis] = value;
      if (value > high[axis]!) high[axis] = value;
    }
  }
  const origin = (kept.length === 0 ? [0, 0, 0] : low) as [number, number, number];
  const extent = kept.length === 0 ? 0 : Math.max(...high.map((value, axis) => value - low[axis]!));
  const step = Math.max(SMALLEST_STEP, extent / 65535);
  const positions = new Uint16Array(3 * kept.length);
  for (let place = 0; place < kept.length; place++) {
    const at = 3 * kept[place]!;
    for (let axis = 0; axis < 3; axis++) {
      positions[3 * place + axis] = Math.round((xyz[at + axis]! - origin[axis]!) / step);
    }
  }
  return { positions, origin, step };
}

export interface QuantizedField {
  /** [K] */
  readonly values: Uint8Array;
  /** Values of 0 and 255. */
  readonly range: [low: number, high: number];
  /** Some of the values, for the range of the colours. */
  readonly sample: Float64Array;
}

/**
 * The values of the points `kept` [K] in 256 steps. Where few values are far beyond all others, these are taken as the
 * ends, so that the rest is told apart. Values that are not finite become the lowest.
 *
 * @param values [N]
 */
export function quantizeField(values: Float64Array, kept: Uint32Array): QuantizedField {
  const every = Math.max(1, Math.ceil(kept.length / SAMPLE_SIZE));
  const sampled: number[] = [];
  let [least, most] = [Infinity, -Infinity];
  kept.forEach((point, place) => {
    const value = values[point]!;
    if (!Number.isFinite(value)) return;
    if (value < least) least = value;
    if (value > most) most = value;
    if (place % every === 0) sampled.push(value);
  });
  const sample = Float64Array.from(sampled).sort();
  if (least > most) return { values: new Uint8Array(kept.length), range: [0, 0], sample };
  const [bulkLow, bulkHigh] = [quantile(sample, 0.002), quantile(sample, 0.998)];
  const isHeavyTailed = bulkHigh > bulkLow && most - least > 8 * (bulkHigh - bulkLow);
  const [low, high] = isHeavyTailed ? [bulkLow, bulkHigh] : [least, most];
  const scale = high > low ? 255 / (high - low) : 0;
  const quantized = Uint8Array.from(kept, (point) => {
    const value = values[point]!;
    return Number.isFinite(value) ? Math.min(255, Math.max(0, Math.round((value - low) * scale))) : 0;
  });
  return { values: quantized, range: [low, high], sample };
}

/** Of values in ascending order. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
