import { expect, test } from "@jest/globals";
import { recordedJumps } from "./recordedEpochs.js";

const jumps = (stamps: readonly number[]) => recordedJumps(stamps.map(BigInt), 10n);
const run = (first: number, last: number, step = 1) =>
  Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => first + i * step);

test("a recording that runs again over the same time has jumped", () => {
  expect(jumps([...run(1, 100), ...run(1, 100), ...run(1, 40)])).toEqual([100, 200]);
  // Of another lap's own stamps, and cut short.
  expect(jumps([...run(0, 100, 2), ...run(21, 61, 2)])).toEqual([51]);
});

test("disorder is no jump: stragglers, parts that were logged late, shuffled messages", () => {
  expect(jumps([...run(1, 50), 5, ...run(51, 80), 30, 31])).toEqual([]);
  expect(jumps([...run(1, 40), ...run(80, 100), ...run(41, 79), ...run(101, 120)])).toEqual([]);
  expect(jumps([...run(60, 100), ...run(1, 59)])).toEqual([]);
  const shuffled = run(0, 999).map((i) => (i * 379) % 1000);
  expect(jumps(shuffled)).toEqual([]);
  expect(jumps([5, 4, 6])).toEqual([]);
  expect(jumps([])).toEqual([]);
});
