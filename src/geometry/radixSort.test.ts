import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { KEY_WORD_BITS, RadixSorter, type KeyedValues } from "./radixSort.js";

const WORD = 2 ** KEY_WORD_BITS;

function keyedValues(keys: readonly number[]): KeyedValues {
  return {
    high: Uint32Array.from(keys, (key) => Math.floor(key / WORD)),
    low: Uint32Array.from(keys, (key) => key % WORD),
    value: Int32Array.from(keys.keys()),
  };
}

function sortedValues(sorter: RadixSorter, keys: readonly number[], keyBits: number): number[] {
  return [...sorter.sort(keyedValues(keys), keys.length, keyBits).value.subarray(0, keys.length)];
}

describe("RadixSorter", () => {
  test.each([
    ["fixed", { seed: 1 }],
    ["fresh", {}],
  ])("sorts stably by keys of any width (%s seed)", (_, parameters) => {
    const sorter = new RadixSorter();
    const sizes = fc.integer({ min: 1, max: 48 });
    const cases = sizes.chain((keyBits) =>
      fc.record({
        keyBits: fc.constant(keyBits),
        keys: fc.array(
          fc.maxSafeInteger().map((n) => Math.abs(n) % 2 ** keyBits),
          { maxLength: 200 },
        ),
      }),
    );
    fc.assert(
      fc.property(cases, ({ keyBits, keys }) => {
        const doubled = [...keys, ...keys];
        const expected = [...doubled.keys()].sort((a, b) => doubled[a]! - doubled[b]! || a - b);
        expect(sortedValues(sorter, doubled, keyBits)).toEqual(expected);
      }),
      parameters,
    );
  });

  test("keeps the two words with their values", () => {
    const keys = [5 * WORD + 1, 2, 5 * WORD, WORD - 1];
    const { high, low } = new RadixSorter().sort(keyedValues(keys), 4, 48);
    expect([...high.subarray(0, 4)]).toEqual([0, 0, 5, 5]);
    expect([...low.subarray(0, 4)]).toEqual([2, WORD - 1, 0, 1]);
  });
});
