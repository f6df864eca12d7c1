import { withRoom } from "./scratch.js";

/** Bits per pass: the 4096 counters stay in the first-level cache. */
const DIGIT_BITS = 12;
const DIGITS = 1 << DIGIT_BITS;
const DIGIT_MASK = DIGITS - 1;
/** Bits of a key in each of its two words; a multiple of DIGIT_BITS. */
export const KEY_WORD_BITS = 24;

/** Keys of up to 48 bits as two words of 24, each with the value that it carries along. */
export interface KeyedValues {
  high: Uint32Array;
  low: Uint32Array;
  value: Int32Array;
}

export function emptyKeyedValues(): KeyedValues {
  return { high: new Uint32Array(0), low: new Uint32Array(0), value: new Int32Array(0) };
}

export function reserveKeyedValues(entries: KeyedValues, count: number): void {
  entries.high = withRoom(entries.high, count);
  entries.low = withRoom(entries.low, count);
  entries.value = withRoom(entries.value, count);
}

/** Stable least-significant-digit radix sort that keeps its second buffer from call to call. */
export class RadixSorter {
  readonly #counts = new Uint32Array(DIGITS);
  #spare = emptyKeyedValues();

  /**
   * Sorts the first `count` entries by ascending key.
   * @param keyBits bits of the largest key, at most 48
   * @returns the sorted entries; the arrays of `entries` are afterwards this sorter's, or the same
   */
  sort(entries: KeyedValues, count: number, keyBits: number): KeyedValues {
    let from = entries;
    let to = this.#spare;
    reserveKeyedValues(to, count);
    for (let shift = 0; shift < keyBits; shift += DIGIT_BITS) {
      const word = shift < KEY_WORD_BITS ? from.low : from.high;
      if (countDigits(word, count, shift % KEY_WORD_BITS, this.#counts)) {
        scatter(from, to, word, count, shift % KEY_WORD_BITS, this.#counts);
        [from, to] = [to, from];
      }
    }
    this.#spare = to;
    return from;
  }
}

/** Fills `starts` with the first target of each digit; false when all entries share one digit. */
function countDigits(word: Uint32Array, count: number, shift: number, starts: Uint32Array): boolean {
  starts.fill(0);
  for (let i = 0; i < count; i++) starts[(word[i]! >>> shift) & DIGIT_MASK]!++;
  if (count === 0 || starts[(word[0]! >>> shift) & DIGIT_MASK] === count) return false;
  let start = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    const digitCount = starts[digit]!;
    starts[digit] = start;
    start += digitCount;
  }
  return true;
}

function scatter(
  from: KeyedValues,
  to: KeyedValues,
  word: Uint32Array,
  count: number,
  shift: number,
  starts: Uint32Array,
): void {
  const { high: fromHigh, low: fromLow, value: fromValue } = from;
  const { high: toHigh, low: toLow, value: toValue } = to;
  for (let i = 0; i < count; i++) {
    const target = starts[(word[i]! >>> shift) & DIGIT_MASK]!++;
    toHigh[target] = fromHigh[i]!;
    toLow[target] = fromLow[i]!;
    toValue[target] = fromValue[i]!;
  }
}
