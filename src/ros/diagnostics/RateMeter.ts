/** The rate is that of the last this many milliseconds. */
export const RATE_WINDOW_MS = 10_000;
const SLOTS = 20;
const SLOT_MS = RATE_WINDOW_MS / SLOTS;

export interface Rate {
  /** Messages per second. */
  readonly hertz: number;
  readonly bytesPerSecond: number;
}

/**
 * Messages and bytes per second over the last 10 s, in 20 slots, so that an arrival costs the same at any rate. While
 * messages come, the rate is that of the intervals between them; when they stop, it falls with the time that passes.
 */
export class RateMeter {
  readonly #counts = new Float64Array(SLOTS);
  readonly #bytes = new Float64Array(SLOTS);
  /** Milliseconds: the first message of each slot. */
  readonly #first = new Float64Array(SLOTS);
  /** Number of the newest slot that was written, counted from time 0. */
  #newest = -Infinity;
  #last = -Infinity;

  /** @param now milliseconds of a clock that never goes back */
  add(now: number, bytes = 0): void {
    const slot = Math.floor(now / SLOT_MS);
    for (let stale = Math.max(this.#newest + 1, slot - SLOTS + 1); stale <= slot; stale++) {
      this.#counts[place(stale)] = 0;
      this.#bytes[place(stale)] = 0;
    }
    this.#newest = slot;
    this.#last = now;
    const at = place(slot);
    if (this.#counts[at] === 0) this.#first[at] = now;
    this.#counts[at] = this.#counts[at]! + 1;
    this.#bytes[at] = this.#bytes[at]! + bytes;
  }

  rate(now: number): Rate {
    const oldest = Math.floor(now / SLOT_MS) - SLOTS + 1;
    let count = 0;
    let bytes = 0;
    let first: number | undefined;
    for (let slot = Math.max(oldest, this.#newest - SLOTS + 1); slot <= this.#newest; slot++) {
      const at = place(slot);
      if (this.#counts[at] === 0) continue;
      first ??= this.#first[at]!;
      count += this.#counts[at]!;
      bytes += this.#bytes[at]!;
    }
    if (first === undefined) return { hertz: 0, bytesPerSecond: 0 };
    // There is no interval yet, or none any more.
    if (count === 1) return { hertz: 1000 / RATE_WINDOW_MS, bytesPerSecond: (bytes * 1000) / RATE_WINDOW_MS };
    const interval = (this.#last - first) / (count - 1);
    const span = Math.max(this.#last, now - interval) - first;
    if (span <= 0) return { hertz: 0, bytesPerSecond: 0 };
    const hertz = ((count - 1) / span) * 1000;
    return { hertz, bytesPerSecond: (bytes / count) * hertz };
  }
}

/** Of a slot in the ring; slots before time 0 are asked for in its first seconds. */
function place(slot: number): number {
  return ((slot % SLOTS) + SLOTS) % SLOTS;
}
