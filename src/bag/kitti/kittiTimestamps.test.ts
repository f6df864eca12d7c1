import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseKittiTimestamp } from "./kittiTimestamps.js";

test("lines of the data set are times in nanoseconds", () => {
  expect(parseKittiTimestamp("2011-09-26 13:02:25.594360375")).toBe(1_317_042_145_594_360_375n);
  expect(parseKittiTimestamp("2011-09-26 13:02:25.5\r")).toBe(1_317_042_145_500_000_000n);
  expect(parseKittiTimestamp("1970-01-01 00:00:00")).toBe(0n);
});

test("what is not a time is refused", () => {
  for (const line of [
    "",
    "1317042145.594360375",
    "2011-09-26T13:02:25.594360375",
    "2011-09-26 13:02:25.5943603751",
    "2011-09-26 13:02:25.",
    "2011-02-29 13:02:25.0",
    "2011-13-01 13:02:25.0",
    "2011-09-26 24:02:25.0",
    "2011-09-26 13:60:25.0",
    "0000-00-00 00:00:00.0",
  ]) {
    expect([line, parseKittiTimestamp(line)]).toEqual([line, undefined]);
  }
});

test("every time is read as it was written", () => {
  const property = fc.property(fc.bigInt(0n, 4_000_000_000_000_000_000n), (stamp) => {
    const seconds = new Date(Number(stamp / 1_000_000_000n) * 1000)
      .toISOString()
      .slice(0, 19)
      .replace("T", " ");
    const line = `${seconds}.${(stamp % 1_000_000_000n).toString().padStart(9, "0")}`;
    expect(parseKittiTimestamp(line)).toBe(stamp);
  });
  fc.assert(property, { seed: 20261122 });
  fc.assert(property);
});
