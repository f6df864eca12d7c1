import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { SlidingWindow } from "./SlidingWindow.js";

test("mean and percentiles are those of the last values", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 100 }),
      (size, values, percent) => {
        const window = new SlidingWindow(size);
        for (const value of values) window.add(value);
        const kept = values.slice(-size);
        const [measured] = window.percentiles(percent);
        expect(window.count).toBe(kept.length);
        expect(window.last).toBe(values.at(-1));
        expect(window.mean()).toBeCloseTo(kept.reduce((sum, value) => sum + value, 0) / kept.length, 6);
        // Nearest rank: at least this share of the values is not above it, and no smaller value has that.
        const share = (limit: number): number => kept.filter((value) => value <= limit).length / kept.length;
        expect(share(measured!)).toBeGreaterThanOrEqual(percent / 100);
        for (const value of kept) if (value < measured!) expect(share(value)).toBeLessThan(percent / 100);
      },
    ),
  );
});

test("an empty window has nothing to say, before the first value and after it was cleared", () => {
  const window = new SlidingWindow(3);
  const nothing = (): unknown => [window.count, window.last, window.mean(), ...window.percentiles(50, 99)];
  expect(nothing()).toEqual([0, undefined, undefined, undefined, undefined]);
  window.add(1);
  window.clear();
  expect(nothing()).toEqual([0, undefined, undefined, undefined, undefined]);
});
