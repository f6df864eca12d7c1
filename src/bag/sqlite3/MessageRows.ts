/** Rows of a table of messages, 24 bytes of memory each, as many as memory can hold. */
export class MessageRows {
  #ids: Float64Array;
  #topicIds: Float64Array;
  #times: BigInt64Array;
  #length = 0;

  /** @param capacity rows that there is room for at first */
  constructor(capacity = 4096) {
    this.#ids = new Float64Array(capacity);
    this.#topicIds = new Float64Array(capacity);
    this.#times = new BigInt64Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  id(row: number): number {
    return this.#ids[row]!;
  }

  topicId(row: number): number {
    return this.#topicIds[row]!;
  }

  /** Nanoseconds. */
  time(row: number): bigint {
    return this.#times[row]!;
  }

  /** @param time nanoseconds */
  push(id: number, topicId: number, time: bigint): void {
    if (this.#length === this.#ids.length) this.#grow();
    this.#ids[this.#length] = id;
    this.#topicIds[this.#length] = topicId;
    this.#times[this.#length] = time;
    this.#length++;
  }

  /**
   * Keeps one row of each id: damaged trees can have loops, and ids that are those of others. Afterwards the rows are in
   * the order of their ids, as sound trees give them.
   * @param isFound is this the row that is found by its id? Without one that is, the first stays
   * @returns the ids that came again, once each time
   */
  leaveOutRepeated(isFound: (row: number) => boolean = () => true): readonly number[] {
    const ids = this.#ids;
    if (!this.#isSorted((a, b) => ids[a]! < ids[b]!)) {
      this.#permute(this.#order((a, b) => ids[a]! - ids[b]! || a - b));
    }
    const repeated: number[] = [];
    let kept = 0;
    for (let row = 0; row < this.#length; row++) {
      if (kept > 0 && this.#ids[row] === this.#ids[kept - 1]) {
        repeated.push(this.#ids[row]!);
        if (!isFound(kept - 1) && isFound(row)) this.#move(row, kept - 1);
      } else this.#move(row, kept++);
    }
    this.#length = kept;
    return repeated;
  }

  /** Ties stay in their order. */
  sortByTime(): void {
    const times = this.#times;
    if (this.#isSorted((a, b) => times[a]! <= times[b]!)) return;
    this.#permute(
      this.#order((a, b) => {
        const [timeA, timeB] = [times[a]!, times[b]!];
        return timeA < timeB ? -1 : timeA > timeB ? 1 : a - b;
      }),
    );
  }

  /** The first row, of rows in the order of their times, at or after a time in nanoseconds. */
  firstAtOrAfter(time: bigint): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#times[middle]! < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Rows by topic id. */
  counts(): ReadonlyMap<number, number> {
    const counts = new Map<number, number>();
    for (let row = 0; row < this.#length; row++) {
      const topicId = this.#topicIds[row]!;
      counts.set(topicId, (counts.get(topicId) ?? 0) + 1);
    }
    return counts;
  }

  #grow(): void {
    const capacity = Math.ceil(this.#ids.length * 1.5) + 1;
    const grown = <T extends Float64Array | BigInt64Array>(from: T, to: T): T => {
      to.set(from as never);
      return to;
    };
    this.#ids = grown(this.#ids, new Float64Array(capacity));
    this.#topicIds = grown(this.#topicIds, new Float64Array(capacity));
    this.#times = grown(this.#times, new BigInt64Array(capacity));
  }

  #isSorted(isBefore: (a: number, b: number) => boolean): boolean {
    for (let row = 1; row < this.#length; row++) if (!isBefore(row - 1, row)) return false;
    return true;
  }

  #order(compare: (a: number, b: number) => number): Uint32Array {
    const order = new Uint32Array(this.#length);
    for (let row = 0; row < order.length; row++) order[row] = row;
    return order.sort(compare);
  }

  #permute(order: Uint32Array): void {
    const [ids, topicIds, times] = [this.#ids.slice(), this.#topicIds.slice(), this.#times.slice()];
    for (const [row, from] of order.entries()) {
      this.#ids[row] = ids[from]!;
      this.#topicIds[row] = topicIds[from]!;
      this.#times[row] = times[from]!;
    }
  }

  #move(from: number, to: number): void {
    if (from === to) return;
    this.#ids[to] = this.#ids[from]!;
    this.#topicIds[to] = this.#topicIds[from]!;
    this.#times[to] = this.#times[from]!;
  }
}
