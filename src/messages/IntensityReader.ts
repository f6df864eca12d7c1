import { pointCount } from "./pointCloud2.js";
import { readFloat32Column } from "./pointColumns.js";
import { pointLayout } from "./pointLayout.js";
import type { PointCloud2 } from "./types.js";

/** Share of points that may lie above full scale: retroreflectors and noise do. */
const TOLERATED_SHARE = 0.01;

/**
 * Reads intensities as 0..1, whatever the driver's scale. Where the layout leaves several full scales open, the
 * smallest that holds 99 % of the points is taken, and never again a smaller one: the same scans in the same order
 * give the same values.
 */
export class IntensityReader {
  readonly #fixedScale: number | undefined;
  #scale = 0;
  #values = new Float32Array(0);

  /** @param fixedScale the value that stands for 1, when the user knows better */
  constructor(fixedScale?: number) {
    this.#fixedScale = fixedScale;
  }

  /** The value that stood for 1 in the last cloud; undefined before the first. */
  get fullScale(): number | undefined {
    return this.#fixedScale ?? (this.#scale === 0 ? undefined : this.#scale);
  }

  /**
   * [N] in 0..1, row by row; NaN becomes 0, what is above full scale 1. Valid until the next call. Undefined when the
   * cloud has no field for it.
   */
  read(cloud: PointCloud2): Float32Array | undefined {
    const { intensity } = pointLayout(cloud);
    if (intensity === undefined) return undefined;
    const values = readFloat32Column(cloud, intensity.field, this.#values);
    this.#values = new Float32Array(values.buffer as ArrayBuffer);
    const scale = this.#fixedScale ?? this.#observe(values, intensity.fullScales);
    for (let i = 0; i < values.length; i++) {
      const value = values[i]! / scale;
      values[i] = value > 0 ? Math.min(1, value) : 0;
    }
    return values;
  }

  /** [N] zeros, for a cloud without intensity. Valid until the next call. */
  zeros(cloud: PointCloud2): Float32Array {
    const count = pointCount(cloud);
    if (this.#values.length < count) this.#values = new Float32Array(count);
    return this.#values.subarray(0, count).fill(0);
  }

  #observe(values: Float32Array, fullScales: readonly number[]): number {
    const last = fullScales.at(-1)!;
    const enough = fullScales.find((scale) => scale === last || shareAbove(values, scale) <= TOLERATED_SHARE);
    this.#scale = Math.max(this.#scale, enough!);
    return this.#scale;
  }
}

function shareAbove(values: Float32Array, limit: number): number {
  let above = 0;
  for (let i = 0; i < values.length; i++) if (values[i]! > limit) above++;
  return values.length === 0 ? 0 : above / values.length;
}
