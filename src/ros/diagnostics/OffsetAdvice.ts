/** So many scans in a row must agree. */
const SCANS = 10;

/**
 * Finds the offset at which the images of a camera would match, when they never do but are always off by about the same
 * time. An image of the right moment may be a whole period away: stamps alone cannot tell.
 */
export class OffsetAdvice {
  /** Image stamp minus cloud stamp of the nearest images of the last scans without a match, nanoseconds. */
  #differences: number[] = [];
  #last: number | undefined;

  /**
   * @param delta of the nearest image: its stamp minus (cloud stamp + offset), nanoseconds
   * @param offset of the camera at that time, nanoseconds
   */
  missed(delta: bigint, offset: bigint): void {
    this.#last = Number(delta);
    this.#differences.push(Number(delta + offset));
    if (this.#differences.length > SCANS) this.#differences.shift();
  }

  /** An image matched. */
  matched(): void {
    this.clear();
  }

  clear(): void {
    this.#differences = [];
    this.#last = undefined;
  }

  /** The delta of the last scan without a match, nanoseconds. */
  get last(): number | undefined {
    return this.#last;
  }

  /**
   * "its images are 0.051 s late: set cameras.front.offset to 0.051"; undefined when the images are not steady enough
   * for one offset to fit all of the last scans. All in nanoseconds.
   * @param offset of the camera now
   * @param tolerance of the camera
   * @param period of the camera: whether the image before or after a cloud had come is a matter of luck; undefined while unknown
   */
  sentence(
    camera: string,
    { offset, tolerance, period }: { offset: bigint; tolerance: bigint; period: bigint | undefined },
  ): string | undefined {
    if (this.#differences.length < SCANS) return undefined;
    const [first] = this.#differences as [number];
    const differences = this.#differences.map((difference) => first + shortest(difference - first, period));
    const fitting = differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
    // Half of the tolerance is left for what these scans did not show.
    if (differences.some((difference) => Math.abs(difference - fitting) > Number(tolerance) / 2))
      return undefined;
    const late = shortest(fitting - Number(offset), period);
    // The offset was mended a moment ago.
    if (Math.abs(late) <= Number(tolerance)) return undefined;
    const by = `${(Math.abs(late) / 1e9).toFixed(3)} s ${late > 0 ? "late" : "early"}`;
    return `its images are ${by}: set cameras.${camera}.offset to ${((Number(offset) + late) / 1e9).toFixed(3)}`;
  }
}

/** What is left of a time without whole periods: at most half a one, to either side. */
function shortest(time: number, period: bigint | undefined): number {
  if (period === undefined) return time;
  const length = Number(period);
  return time - Math.round(time / length) * length;
}
