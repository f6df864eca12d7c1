/** Share of points that may lie above full scale: retroreflectors and noise do. */
const TOLERATED_SHARE = 0.01;
/** Values, spread over a scan, that the scale is found by. */
const SAMPLES = 4096;
/** Scales that differ by less are the same. */
const BAND = 1.5;
/** Of calibrated sensors the value of a byte; larger ones are drivers' own counts, which seldom come near their maximum. */
const BYTE = 255;
/**
 * Full scale over what 99 % of the values stay below: calibrated sensors keep the upper half of their range for
 * retroreflectors, and models are trained with such.
 */
const HEADROOM = 2;
/** Scans that make a scale settled; before, a scan that needs a larger one gets it at once. */
const SETTLED_SCANS = 10;
/** Consecutive scans that need a larger scale than the settled one before it changes. */
const SCANS_TO_RISE = 3;
/** Consecutive scans that need a smaller scale before it changes: no dark corner of a drive is as long. */
const SCANS_TO_FALL = 30;

/**
 * What stands for 1 among intensities whose layout leaves several full scales open: 1 or 255, the smallest that holds 99 %
 * of those above 0; where neither does (photon counts, 16 bits) twice what holds them, but no more than the largest of the
 * layout. A scale that ten scans have agreed on, within a half, rises when three scans in a row need more, and falls when
 * thirty in a row need less, to what these need: one wild scan changes nothing for long, and the same scans in the same
 * order give the same values.
 */
export class IntensityScale {
  #scale = 0;
  #scans = 0;
  /** The smallest, or largest, scale that the scans of the current row need. */
  #rise = { row: 0, needed: Infinity };
  #fall = { row: 0, needed: 0 };

  /** The scale for a cloud with these values, or a sample of them. @param fullScales ascending */
  observe(values: Float32Array, fullScales: readonly number[]): number {
    // A scan without values says nothing.
    const needed = neededScale(values, fullScales);
    if (needed === undefined) return this.#scale === 0 ? fullScales[0]! : this.#scale;
    this.#scans++;
    if (needed > BAND * this.#scale) {
      this.#rise = { row: this.#rise.row + 1, needed: Math.min(this.#rise.needed, needed) };
      if (this.#scans <= SETTLED_SCANS) this.#change(needed);
      else if (this.#rise.row >= SCANS_TO_RISE) this.#change(this.#rise.needed);
      else return this.#scale;
      this.#fall = { row: 0, needed: 0 };
      return this.#scale;
    }
    this.#rise = { row: 0, needed: Infinity };
    if (BAND * needed >= this.#scale) this.#fall = { row: 0, needed: 0 };
    else {
      this.#fall = { row: this.#fall.row + 1, needed: Math.max(this.#fall.needed, needed) };
      if (this.#fall.row >= SCANS_TO_FALL) this.#change(this.#fall.needed);
    }
    return this.#scale;
  }

  #change(scale: number): void {
    this.#scale = scale;
    this.#rise = { row: 0, needed: Infinity };
    this.#fall = { row: 0, needed: 0 };
  }
}

/** Some values, spread over the scan: enough for shares and scales. */
export function sampled(values: Float32Array): Float32Array {
  const stride = Math.floor(values.length / SAMPLES);
  if (stride <= 1) return values;
  const sample = new Float32Array(SAMPLES);
  for (let i = 0, at = 0; i < SAMPLES; i++, at += stride) sample[i] = values[at]!;
  return sample;
}

/** Share (0..1) of values above a limit. */
export function shareAbove(values: Float32Array, limit: number): number {
  return values.length === 0 ? 0 : countAbove(values, limit) / values.length;
}

/** By the values above 0, since points without a return have none; undefined for a scan without any. */
function neededScale(values: Float32Array, fullScales: readonly number[]): number | undefined {
  const positive = countAbove(values, 0);
  if (positive === 0) return undefined;
  const tolerated = TOLERATED_SHARE * positive;
  const known = fullScales.find((scale) => scale <= BYTE && countAbove(values, scale) <= tolerated);
  if (known !== undefined) return known;
  const sorted = values.filter((value) => value > 0 && value < Infinity).sort();
  const high = sorted[Math.ceil((1 - TOLERATED_SHARE) * sorted.length) - 1];
  if (high === undefined) return undefined;
  const largest = fullScales.at(-1)!;
  const needed = Math.max(BYTE, Math.round(HEADROOM * high));
  return largest > BYTE ? Math.min(largest, needed) : needed;
}

function countAbove(values: Float32Array, limit: number): number {
  let above = 0;
  for (let i = 0; i < values.length; i++) if (values[i]! > limit) above++;
  return above;
}
