/**
 * The only source of randomness of the simulator: sfc32 (Chris Doty-Humphrey's PractRand), seeded by 32-bit
 * integers, so that a seed gives the same world on every machine.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Different streams of one seed are independent of each other. */
  constructor(seed: number, stream = 0) {
    this.#a = hash(seed, 0x9e3779b9, stream, 1);
    this.#b = hash(seed, 0x243f6a88, stream, 2);
    this.#c = hash(seed, 0xb7e15162, stream, 3);
    for (let i = 0; i < 12; i++) {
      this.next();
    }
  }

  /** Uniform in [0, 1). */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return (sum >>> 0) / 4294967296;
  }

  /** Uniform in [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** Integer in [low, high], both inclusive. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[Math.floor(this.next() * choices.length)] ?? choices[0];
  }

  /** Standard normal (Box-Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }
}

/** 32-bit mix of four integers (rounds of MurmurHash3); the same inputs always give the same bits. */
export function hash(a: number, b: number, c: number, d: number): number {
  let h = Math.imul(a | 0, 0xcc9e2d51);
  h = Math.imul((h << 15) | (h >>> 17), 0x1b873593);
  h ^= Math.imul(b | 0, 0x85ebca6b);
  h = (Math.imul((h << 13) | (h >>> 19), 5) + 0x6b64) | 0;
  h ^= Math.imul(c | 0, 0xc2b2ae35);
  h = (Math.imul((h << 13) | (h >>> 19), 5) + 0x54e6) | 0;
  h ^= Math.imul(d | 0, 0x27d4eb2f);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** `hash` as a number in [0, 1). */
export function hashUnit(a: number, b: number, c: number, d: number): number {
  return hash(a, b, c, d) / 4294967296;
}

/** Smooth value noise of a plane with period-free lattice 1, in [0, 1). */
export function valueNoise(x: number, y: number, seed: number): number {
  const ix = Math.floor(x);
  const iy = Math.floor(y);
  const fx = x - ix;
  const fy = y - iy;
  const u = fx * fx * (3 - 2 * fx);
  const v = fy * fy * (3 - 2 * fy);
  const a = hashUnit(ix, iy, seed, 0);
  const b = hashUnit(ix + 1, iy, seed, 0);
  const c = hashUnit(ix, iy + 1, seed, 0);
  const d = hashUnit(ix + 1, iy + 1, seed, 0);
  return a + (b - a) * u + (c - a) * v + (a - b - c + d) * u * v;
}
