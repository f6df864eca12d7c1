/** Of messages whose stamp cannot be read. */
export const UNREADABLE = -(2n ** 63n);

/** Stamp and log time of every message of a topic, in the order of logging: 16 to 24 bytes a message. */
export class IndexedTopic {
  readonly topic: string;
  #stamps = new BigInt64Array(256);
  #logTimes = new BigInt64Array(256);
  /** Nanoseconds from the stamp to the middle of the scan; absent until one is known. */
  #middles: Float64Array | undefined;
  #count = 0;

  constructor(topic: string) {
    this.topic = topic;
  }

  /** @param stamp nanoseconds; UNREADABLE keeps the place of a message that is not used */
  add(stamp: bigint, logTime: bigint, middle = 0n): void {
    const index = this.#count++;
    if (index === this.#stamps.length) {
      this.#stamps = grown(this.#stamps);
      this.#logTimes = grown(this.#logTimes);
      if (this.#middles !== undefined) {
        const middles = new Float64Array(2 * index);
        middles.set(this.#middles);
        this.#middles = middles;
      }
    }
    this.#stamps[index] = stamp;
    this.#logTimes[index] = logTime;
    if (middle !== 0n) {
      this.#middles ??= new Float64Array(this.#stamps.length);
      this.#middles[index] = Number(middle);
    }
  }

  get count(): number {
    return this.#count;
  }

  /** Nanoseconds, by row: the number of the message in the order of logging. */
  get stamps(): BigInt64Array {
    return this.#stamps.subarray(0, this.#count);
  }

  get logTimes(): BigInt64Array {
    return this.#logTimes.subarray(0, this.#count);
  }

  middle(row: number): bigint {
    return BigInt(this.#middles?.[row] ?? 0);
  }

  /** How many messages before this one have its log time. */
  placeAmongEqual(row: number): number {
    let first = row;
    while (first > 0 && this.#logTimes[first - 1] === this.#logTimes[row]) first--;
    return row - first;
  }
}

function grown(values: BigInt64Array): BigInt64Array<ArrayBuffer> {
  const larger = new BigInt64Array(2 * values.length);
  larger.set(values);
  return larger;
}
