import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { recordedTimes } from "./recordedTimes.js";

test("times that go on stay as they are", () => {
  expect(recordedTimes([5n, 5n, 7n, 900n])).toEqual([5n, 5n, 7n, 900n]);
  expect(recordedTimes([])).toEqual([]);
});

test("what came before a jump back ends where the time after it begins", () => {
  expect(recordedTimes([1000n, 1010n, 1020n, 400n, 410n])).toEqual([380n, 390n, 400n, 400n, 410n]);
  expect(recordedTimes([1000n, 1010n, 30n, 5n, 10n])).toEqual([0n, 10n, 10n, 10n, 15n]);
});

test("whatever jumps, the order stays, no time is negative, and steps forward keep their length", () => {
  const times = fc.array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { maxLength: 40 });
  fc.assert(
    fc.property(times, (given) => {
      const recorded = recordedTimes(given);
      expect(recorded.length).toBe(given.length);
      for (let i = 1; i < given.length; i++) {
        const step = given[i]! - given[i - 1]!;
        expect(recorded[i]! - recorded[i - 1]!).toBe(step > 0n ? step : 0n);
      }
      for (const time of recorded) expect(time).toBeGreaterThanOrEqual(0n);
    }),
  );
});
