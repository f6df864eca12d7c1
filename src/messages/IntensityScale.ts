/** Share of points that may lie above full scale: retroreflectors and noise do. */
const TOLERATED_SHARE = 0.01;
/** Scans that make a scale settled; before, a scan that needs a larger one gets it at once. */
const SETTLED_SCANS = 10;
/** Consecutive scans that need a larger scale than the settled one before it changes. */
const SCANS_TO_RISE = 3;
/** Consecutive scans that need a smaller scale before it changes: no dark corner of a drive is as long. */
const SCANS_TO_FALL = 30;
/** Doublings of the largest scale of a layout that values are followed to. */
const MOST_DOUBLINGS = 24;

/**
 * What stands for 1 among intensities whose layout leaves several full scales open: the smallest that holds 99 % of the
 * points, and beyond the largest of the layout its smallest doubling. A scale that ten scans have agreed on rises when
 * three scans in a row need more, and falls when thirty in a row need less, to what these need: one wild scan changes
 * nothing for long, and the same scans in the same order give the same values.
 */
export class IntensityScale {
  #scale = 0;
  #scans = 0;
  /** The smallest, or largest, scale that the scans of the current row need. */
  #rise = { row: 0, needed: Infinity };
  #fall = { row: 0, needed: 0 };

  /** The scale for a cloud with these values. @param fullScales ascending */
  observe(values: Float32Array, fullScales: readonly number[]): number {
    // A scan without values says nothing.
    const needed = smallestScale(values, fullScales);
    if (needed === undefined) return this.#scale === 0 ? fullScales[0]! : this.#scale;
    this.#scans++;
    if (needed > this.#scale) {
      this.#rise = { row: this.#rise.row + 1, needed: Math.min(this.#rise.needed, needed) };
      if (this.#scans <= SETTLED_SCANS) this.#change(needed);
      else if (this.#rise.row >= SCANS_TO_RISE) this.#change(this.#rise.needed);
      else return this.#scale;
      this.#fall = { row: 0, needed: 0 };
      return this.#scale;
    }
    this.#rise = { row: 0, needed: Infinity };
    if (needed === this.#scale) this.#fall = { row: 0, needed: 0 };
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

/** Undefined for a scan without a positive value. */
function smallestScale(values: Float32Array, fullScales: readonly number[]): number | undefined {
  const fits = (scale: number): boolean => shareAbove(values, scale) <= TOLERATED_SHARE;
  const named = fullScales.find(fits);
  if (named !== undefined) return named > fullScales[0]! || shareAbove(values, 0) > 0 ? named : undefined;
  let scale = fullScales.at(-1)!;
  for (let doubling = 0; doubling < MOST_DOUBLINGS && !fits(scale); doubling++) scale *= 2;
  return scale;
}

function shareAbove(values: Float32Array, limit: number): number {
  let above = 0;
  for (let i = 0; i < values.length; i++) if (values[i]! > limit) above++;
  return values.length === 0 ? 0 : above / values.length;
}
