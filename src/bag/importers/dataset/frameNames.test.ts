import { expect, test } from "@jest/globals";
import { orderFrames, stampOf } from "./frameNames.js";

const SECOND = 1_000_000_000n;
const T = 1_532_169_145n * SECOND;

test.each([
  [
    "seconds",
    ["1532169145.483189", "1532169145.283189", "1532169145.5"],
    [283_189_000n, 483_189_000n, 500_000_000n],
  ],
  ["whole seconds", ["1532169146", "1532169145"], [0n, SECOND]],
  ["milliseconds", ["1532169145483", "1532169145283"], [283_000_000n, 483_000_000n]],
  ["microseconds", ["1532169145483189", "1532169145283189"], [283_189_000n, 483_189_000n]],
  ["nanoseconds", ["1532169145483189007", "1532169145283189000"], [283_189_000n, 483_189_007n]],
  ["text in front", ["lidar_1532169145483189000", "lidar_1532169145283189000"], [283_189_000n, 483_189_000n]],
  ["seconds_nanoseconds", ["1532169145_483189007", "1532169145_83189000"], [83_189_000n, 483_189_007n]],
  ["seconds with and without a fraction", ["1532169145.25", "1532169145"], [0n, 250_000_000n]],
  ["dates", ["2018-07-21T10-32-26", "2018-07-21T10-32-25.5"], [500_000_000n, SECOND]],
  [
    "dates with text in front",
    ["lidar_20180721_103225_750", "lidar_20180721_103225_250"],
    [250_000_000n, 750_000_000n],
  ],
  ["dates in digits", ["20180721103226", "20180721103225"], [0n, SECOND]],
  ["seconds-microseconds", ["1532169145-483189", "1532169145-83189"], [83_189_000n, 483_189_000n]],
])("names that are times: %s", (_, names, offsets) => {
  const frames = orderFrames(names);
  expect(frames.map(({ time }) => time! - T)).toEqual(offsets);
  expect(frames.map(({ number }) => number)).toEqual(names.map((_name, i) => i));
  expect(stampOf(frames[1]!, 1, (n) => n)).toBe(frames[1]!.time);
});

test.each([
  ["plain numbers", ["000010", "000009", "000100"], [9, 10, 100]],
  ["numbers as they are", ["10", "9", "2"], [2, 9, 10]],
  ["text and numbers", ["frame_10", "frame_2", "frame_9"], [2, 9, 10]],
  ["KITTI's ten digits", ["0000000010", "0000000009"], [9, 10]],
  ["no common text", ["b_1", "a_10", "a_9"], [0, 1, 2]],
  ["no numbers", ["c", "a", "b"], [0, 1, 2]],
  ["a date that is none", ["20180231103226", "20180231103225"], [20180231103225, 20180231103226]],
  ["times of two units", ["1532169145283", "1532169145283189"], [1532169145283, 1532169145283189]],
])("names that are no times: %s", (_, names, numbers) => {
  const frames = orderFrames(names);
  expect(frames.map(({ number, time }) => [number, time])).toEqual(numbers.map((n) => [n, undefined]));
});

test("the order is natural, and numbers that no stamp can hold count by their place", () => {
  expect(orderFrames(["a_10", "b_1", "a_9"]).map(({ name }) => name)).toEqual(["a_9", "a_10", "b_1"]);
  const frames = orderFrames(["20187221103226", "20187221103225"]);
  expect(frames.map((frame, i) => stampOf(frame, i, (n) => T + n * 1_000_000n))).toEqual([T, T + 1_000_000n]);
  expect(stampOf({ name: "7", number: 7, time: undefined }, 0, (n) => T + n * 100n)).toBe(T + 700n);
});

test("a file that is not named as the others does not shift their numbers, and is refused", () => {
  const names = Array.from({ length: 20 }, (_, i) => String(i).padStart(6, "0"));
  const frames = orderFrames(["000003 (copy)", ...names, "notes"]);
  expect(frames.map(({ name }) => name)).toEqual([...names, "000003 (copy)", "notes"]);
  expect(frames.map(({ number }) => number)).toEqual([...names.map(Number), -1, -1]);
  expect(() => stampOf(frames[20]!, 20, (n) => n)).toThrow(
    "000003 (copy) is not named as the other frames are",
  );
});
