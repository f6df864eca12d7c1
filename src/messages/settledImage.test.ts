import { describe, expect, test } from "@jest/globals";
import { image } from "./exampleMessages.js";
import { settledImage } from "./settledImage.js";
import type { Image } from "./types.js";

/** 2 rows of 3 pixels of bgr8: 9 bytes a row. */
function settled(change: Partial<Image> & { bigEndianByte?: number }): Image {
  return settledImage({ ...image, bigEndianByte: 0, ...change });
}

describe("an image whose redundant fields are wrong", () => {
  const tight = { data: image.data.subarray(0, 18) };

  test.each<[string, Partial<Image>, number, string]>([
    ["step 0", { ...tight, step: 0 }, 9, "step is 0 instead of 9 bytes: data has 18 bytes for 3x2 pixels"],
    ["step = width", { ...tight, step: 3 }, 9, "step is 3 instead of 9 bytes"],
    ["a stale step", { ...tight, step: 1920 }, 9, "step is 1920 instead of 9 bytes"],
    ["step = width, rows padded", { step: 3 }, 12, "step is 3 instead of 12 bytes"],
    [
      "bytes behind the last row",
      { data: Uint8Array.of(...image.data, 1, 2, 3) },
      12,
      "data has 27 bytes instead of step 12 * 2 rows = 24",
    ],
    [
      "a step without the chroma plane in mind",
      { encoding: "nv12", width: 4, height: 4, step: 0, data: new Uint8Array(24) },
      4,
      "step is 0 instead of 4",
    ],
  ])("is read by its data: %s", (_, change, step, oddity) => {
    const read = settled(change);
    expect(read.step).toBe(step);
    expect(read.oddities).toEqual([expect.stringContaining(oddity)]);
  });

  test("a sound image is left alone, with padding or without it in the last row", () => {
    expect(settled({}).oddities).toBeUndefined();
    expect(settled({ data: image.data.subarray(0, 21) })).toMatchObject({ step: 12 });
    expect(settled({ data: image.data.subarray(0, 21) }).oddities).toBeUndefined();
  });

  test("is_bigendian beyond 1 is no big-endian", () => {
    expect(settled({ bigEndianByte: 1 }).isBigEndian).toBe(true);
    const read = settled({ bigEndianByte: 127 });
    expect(read.isBigEndian).toBe(false);
    expect(read.oddities).toEqual([expect.stringContaining("is_bigendian is 127 instead of 0 or 1")]);
  });
});
