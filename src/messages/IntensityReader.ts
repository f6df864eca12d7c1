import { IntensityScale, sampled, shareAbove } from "./IntensityScale.js";
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

/** How the intensities of a cloud were read. */
export interface IntensityReading {
  readonly field: string;
  /** The value that stood for 1. */
  readonly scale: number;
  /** Share (0..1) of the values above that. */
  readonly beyond: number;
  /** Where neither the layout nor the user knows the scale, so that the values themselves gave it. */
  readonly fitted?: {
    /** What the layout knows, ascending. */
    readonly fullScales: readonly number[];
    /** Share (0..1) of the values above the full scale of a byte. */
    readonly beyondByte: number;
  };
  /** The first value, where all are read as the same number, which says nothing about the points. */
  readonly constant?: number;
}

/** Full scale of sensors that send a byte, as such or as a number of another type. */
const BYTE = 255;

/** Reads intensities as 0..1, whatever the driver's scale: see IntensityScale. */
export class IntensityReader {
  readonly #options: IntensityReaderOptions;
  readonly #scale = new IntensityScale();
  #last: IntensityReading | undefined;
  #values = new Float32Array(0);

  constructor(options: IntensityReaderOptions = {}) {
    this.#options = options;
  }

  /** The value that stood for 1 in the last cloud; undefined before the first. */
  get fullScale(): number | undefined {
    return this.#options.scale ?? this.#last?.scale;
  }

  /** Of the last cloud; undefined before the first. */
  get last(): IntensityReading | undefined {
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
    const { field, fullScales } = intensity;
    const known = this.#options.scale;
    const sample = sampled(values);
    const scale = known ?? this.#scale.observe(sample, fullScales);
    const isFitted = known === undefined && scale > BYTE && !fullScales.includes(scale);
    const first = values[0];
    const [beyond, beyondByte] = [shareAbove(sample, scale), shareAbove(sample, BYTE)];
    for (let i = 0; i < values.length; i++) {
      const value = values[i]! / scale;
      values[i] = value > 0 ? (value < 1 ? value : 1) : 0;
    }
    this.#last = {
      field,
      scale,
      beyond,
      ...(isFitted && { fitted: { fullScales, beyondByte } }),
      ...(first !== undefined && isConstant(values) && { constant: first }),
    };
    return values;
  }

  /** [N] zeros, for a cloud without intensity. Valid until the next call. */
  zeros(cloud: PointCloud2): Float32Array {
    const count = pointCount(cloud);
    if (this.#values.length < count) this.#values = new Float32Array(count);
    return this.#values.subarray(0, count).fill(0);
  }
}

/** Fewer points may have the same intensity by chance. */
const FEWEST_POINTS = 20;

function isConstant(values: Float32Array): boolean {
  if (values.length < FEWEST_POINTS) return false;
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return true;
}
