/** The last values of a quantity: mean and percentiles over them, in memory that does not grow. */
export class SlidingWindow {
  readonly #values: Float64Array;
  #count = 0;
  #next = 0;

  constructor(size: number) {
    this.#values = new Float64Array(size);
  }

  add(value: number): void {
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.#values.length;
    this.#count = Math.min(this.#count + 1, this.#values.length);
  }

  get count(): number {
    return this.#count;
  }

  /** undefined without values. */
  get last(): number | undefined {
    return this.#count === 0 ? undefined : this.#values.at(this.#next - 1);
  }

  /** undefined without values. */
  mean(): number | undefined {
    if (this.#count === 0) return undefined;
    let sum = 0;
    for (let i = 0; i < this.#count; i++) sum += this.#values[i]!;
    return sum / this.#count;
  }

  /** By nearest rank, for 0 < percent <= 100; undefined for each without values. */
  percentiles<P extends readonly number[]>(...percents: P): { [K in keyof P]: number | undefined } {
    const sorted = this.#values.slice(0, this.#count).sort();
    return percents.map((percent) => sorted[Math.ceil((percent * this.#count) / 100) - 1]) as {
      [K in keyof P]: number | undefined;
    };
  }

  clear(): void {
    this.#count = 0;
    this.#next = 0;
  }
}
