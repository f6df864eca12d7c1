import { expect, test } from "@jest/globals";
import { refuseOverlap, unpackedAtOnce } from "./overlappingChunks.js";

const chunk = (start: number, end: number, uncompressedSize: number) => ({
  messageStartTime: BigInt(start),
  messageEndTime: BigInt(end),
  uncompressedSize: BigInt(uncompressedSize),
});

test("chunks count together while their times overlap", () => {
  expect(unpackedAtOnce([])).toBe(0);
  expect(unpackedAtOnce([chunk(0, 9, 5), chunk(10, 19, 7), chunk(20, 29, 6)])).toBe(7);
  expect(unpackedAtOnce([chunk(20, 29, 6), chunk(0, 10, 5), chunk(10, 19, 7)])).toBe(12);
  expect(unpackedAtOnce([chunk(0, 100, 1), chunk(1, 100, 2), chunk(50, 60, 4), chunk(101, 102, 6)])).toBe(7);
});

test("a file whose chunks all span the recording is refused with what mends it, one of many chunks is not", () => {
  const overlapping = Array.from({ length: 3000 }, (_, i) => chunk(i, 10_000 + i, 1024 ** 2));
  expect(() => {
    refuseOverlap("drive.mcap", overlapping);
  }).toThrow(
    "drive.mcap has chunks of 2.9 GiB around the same time, and 2.0 GiB are held at once; write its messages in their " +
      "order first: `mcap sort drive.mcap -o SORTED.mcap`",
  );
  const inOrder = Array.from({ length: 3000 }, (_, i) => chunk(10 * i, 10 * i + 15, 1024 ** 2));
  expect(() => {
    refuseOverlap("drive.mcap", inOrder);
  }).not.toThrow();
});
