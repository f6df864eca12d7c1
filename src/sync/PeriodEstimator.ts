/** Intervals that are remembered. */
const WINDOW = 9;
/** Fewer intervals say nothing yet. */
const ENOUGH = 3;

/**
 * Learns the period of a stream from its stamps. Dropped messages and gaps only make intervals longer, so
 * the median of the last intervals stands for the period and the shortest one bounds it from below.
 */
export class PeriodEstimator {
  readonly #intervals: bigint[] = [];
  #last: bigint | undefined;
  #sorted: readonly bigint[] = [];

  /** The next stamp, nanoseconds, later than the one before. */
  add(stamp: bigint): void {
    if (this.#last !== undefined) {
      this.#intervals.push(stamp - this.#last);
      if (this.#intervals.length > WINDOW) this.#intervals.shift();
      this.#sorted = this.#intervals.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    }
    this.#last = stamp;
  }

  /** Time jumped: the next stamp starts a new interval; what was learned stays. */
  jump(): void {
    this.#last = undefined;
  }

  /** Nanoseconds; undefined until enough stamps came. */
  get median(): bigint | undefined {
    return this.#sorted.length < ENOUGH ? undefined : this.#sorted[this.#sorted.length >> 1];
  }

  /** Nanoseconds; undefined until enough stamps came. */
  get shortest(): bigint | undefined {
    return this.#sorted.length < ENOUGH ? undefined : this.#sorted[0];
  }
}
