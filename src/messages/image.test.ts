import { describe, expect, test } from "@jest/globals";
import { compressedImage, image } from "./exampleMessages.js";
import { decodeCompressedImage, decodeImage, encodeCompressedImage, encodeImage } from "./image.js";
import { bytesPerPixel } from "./imageEncodings.js";
import type { Image } from "./types.js";

describe("Image", () => {
  test("data is a view of the message, not a copy", () => {
    const cdr = encodeImage(image);
    const { data } = decodeImage(cdr);
    cdr.fill(0xdb);
    expect([...new Set(data)]).toEqual([0xdb]);
  });

  test.each<[string, Partial<Image>, string]>([
    ["rows too short", { width: 5 }, "step: 12 is less than width 5 * 3 bytes of bgr8 = 15"],
    ["too few rows", { height: 3 }, "data: 24 bytes instead of step 12 * height 3 = 36"],
    ["no data", { step: 0, encoding: "?", data: new Uint8Array(0) }, "data: 0 bytes for 3 x 2 pixels"],
    ["a short luma plane", { encoding: "nv12", height: 3 }, "data: 24 bytes instead of step 12 * height 3"],
  ])("refuses %s", (_, change, message) => {
    expect(() => encodeImage({ ...image, ...change })).toThrow(`sensor_msgs/msg/Image ${message}`);
  });

  test("refuses broken sizes when reading", () => {
    const cdr = encodeImage({ ...image, header: { stamp: 0n, frameId: "" } });
    // encapsulation (4), stamp (8), frame_id (4 + 1, padded to 8), then height
    new DataView(cdr.buffer).setUint32(4 + 8 + 8, 7, true);
    expect(() => decodeImage(cdr)).toThrow("data: 24 bytes instead of step 12 * height 7 = 84");
  });

  test("the chroma plane of nv12 lies behind the rows", () => {
    const nv12 = { ...image, encoding: "nv12", height: 2, width: 4, step: 4, data: new Uint8Array(12) };
    expect(decodeImage(encodeImage(nv12))).toEqual(nv12);
  });

  test.each([
    ["rgb8", 3],
    ["bgra16", 8],
    ["bayer_grbg16", 2],
    ["yuv422_yuy2", 2],
    ["16UC1", 2],
    ["32FC1", 4],
    ["32FC", 4],
    ["64FC3", 24],
    ["8UC12", 12],
    ["jpeg", undefined],
    ["7UC1", undefined],
  ])("a pixel of %s takes %s bytes", (encoding, bytes) => {
    expect(bytesPerPixel(encoding)).toBe(bytes);
  });
});

describe("CompressedImage", () => {
  test("data is a view of the message, not a copy", () => {
    const cdr = encodeCompressedImage(compressedImage);
    const { data } = decodeCompressedImage(cdr);
    cdr.fill(0xdb);
    expect([...new Set(data)]).toEqual([0xdb]);
  });
});
