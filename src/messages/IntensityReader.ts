import { IntensityScale } from "./IntensityScale.js";
import { pointCount } from "./pointCloud2.js";
import { readFloat32Column } from "./pointColumns.js";
import { pointLayout } from "./pointLayout.js";
import type { PointCloud2 } from "./types.js";

export interface IntensityReaderOptions {
  /** The value that stands for 1, when the user knows better. */
  readonly scale?: number;
  /** The field that is intensity, when the user knows better. */
  readonly field?: string;
}

/** Reads intensities as 0..1, whatever the driver's scale: see IntensityScale. */
export class IntensityReader {
  readonly #options: IntensityReaderOptions;
  readonly #scale = new IntensityScale();
  #last: { readonly field: string; readonly scale: number; readonly beyond: number } | undefined;
  #values = new Float32Array(0);

  constructor(options: IntensityReaderOptions = {}) {
    this.#options = options;
  }

  /** The value that stood for 1 in the last cloud; undefined before the first. */
  get fullScale(): number | undefined {
    return this.#options.scale ?? this.#last?.scale;
  }

  /** The field of the last cloud, what stood for 1, and the share (0..1) of its points above that. */
  get last(): { readonly field: string; readonly scale: number; readonly beyond: number } | undefined {
    return this.#last;
  }

  /**
   * [N] in 0..1, row by row; NaN becomes 0, what is above full scale 1. Valid until the next call. Undefined when the
   * cloud has no field for it.
   */
  read(cloud: PointCloud2): Float32Array | undefined {
    const { intensity } = pointLayout(cloud, this.#options.field);
    if (intensity === undefined) return undefined;
    const values = readFloat32Column(cloud, intensity.field, this.#values);
    this.#values = new Float32Array(values.buffer as ArrayBuffer);
    const scale = this.#options.scale ?? this.#scale.observe(values, intensity.fullScales);
    let beyond = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]! / scale;
      if (value > 1) beyond++;
      values[i] = value > 0 ? Math.min(1, value) : 0;
    }
    this.#last = { field: intensity.field, scale, beyond: values.length === 0 ? 0 : beyond / values.length };
    return values;
  }

  /** [N] zeros, for a cloud without intensity. Valid until the next call. */
  zeros(cloud: PointCloud2): Float32Array {
    const count = pointCount(cloud);
    if (this.#values.length < count) this.#values = new Float32Array(count);
    return this.#values.subarray(0, count).fill(0);
  }
}
