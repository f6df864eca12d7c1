/** A small seeded generator (mulberry32), so that every case of a campaign can be run again alone. */
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** The generator of one case. */
  static of(seed, index) {
    return new Random(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35));
  }

  /** 32 bits. */
  word() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** A whole number from 0 to `end` - 1. */
  below(end) {
    return Math.floor((this.word() / 2 ** 32) * end);
  }

  of(list) {
    return list[this.below(list.length)];
  }
}
