import { beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import { Fault } from "../faults/Fault.js";
import type { CompressedImage, Image } from "../messages/types.js";
import { decodeImage } from "./decodeImage.js";
import { sharp } from "./libvips.js";
import type { RgbImage } from "./RgbImage.js";

const HEADER = { stamp: 0n, frameId: "camera" };

function image(
  encoding: string,
  width: number,
  height: number,
  rows: number[][],
  change: Partial<Image> = {},
): Image {
  const step = rows[0]!.length;
  return {
    header: HEADER,
    height,
    width,
    encoding,
    isBigEndian: false,
    step,
    data: Uint8Array.from(rows.flat()),
    ...change,
  };
}

function compressed(data: Uint8Array, format = "jpeg"): CompressedImage {
  return { header: HEADER, format, data };
}

async function faultOf(message: Image | CompressedImage): Promise<Fault> {
  try {
    await decodeImage(message);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("the image was decoded");
}

/** Mean absolute difference in grey levels. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length;
}

describe("decodeImage of raw encodings", () => {
  // Two rows of two pixels, each row padded by one byte of 99.
  // prettier-ignore
  test.each([
    ["rgb8", [[1, 2, 3, 4, 5, 6, 99], [7, 8, 9, 10, 11, 12, 99]], false],
    ["bgr8", [[3, 2, 1, 6, 5, 4, 99], [9, 8, 7, 12, 11, 10, 99]], false],
    ["rgba8", [[1, 2, 3, 50, 4, 5, 6, 50, 99], [7, 8, 9, 50, 10, 11, 12, 50, 99]], false],
    ["bgra8", [[3, 2, 1, 50, 6, 5, 4, 50, 99], [9, 8, 7, 50, 12, 11, 10, 50, 99]], false],
    ["rgb16", [[50, 1, 50, 2, 50, 3, 50, 4, 50, 5, 50, 6, 99], [50, 7, 50, 8, 50, 9, 50, 10, 50, 11, 50, 12, 99]], false],
    ["bgr16", [[3, 50, 2, 50, 1, 50, 6, 50, 5, 50, 4, 50, 99], [9, 50, 8, 50, 7, 50, 12, 50, 11, 50, 10, 50, 99]], true],
  ])("%s", async (encoding, rows, isBigEndian) => {
    const decoded = await decodeImage(image(encoding, 2, 2, rows, { isBigEndian }));
    expect(decoded).toEqual({ width: 2, height: 2, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12) });
  });

  test.each([
    ["mono8", [[10, 20, 99]], false],
    ["8UC1", [[10, 20, 99]], false],
    ["mono16", [[50, 10, 50, 20]], false],
    ["mono16", [[10, 50, 20, 50]], true],
  ])("%s", async (encoding, rows, isBigEndian) => {
    const decoded = await decodeImage(image(encoding, 2, 1, rows, { isBigEndian }));
    expect(decoded.data).toEqual(Uint8Array.of(10, 10, 10, 20, 20, 20));
  });

  test("grey in YUV is grey in RGB, of odd sizes too", async () => {
    // prettier-ignore
    const rows = {
      uyvy: [[128, 16, 128, 126, 128, 235, 128, 0]],
      yuv422: [[128, 16, 128, 126, 128, 235, 128, 0]],
      yuyv: [[16, 128, 126, 128, 235, 128, 0, 128]],
      yuv422_yuy2: [[16, 128, 126, 128, 235, 128, 0, 128]],
      nv21: [[16, 126, 235, 99], [128, 128, 128, 128]],
      nv24: [[16, 126, 235], [128, 128, 128], [128, 128, 128]],
    };
    for (const [encoding, bytes] of Object.entries(rows)) {
      const { data } = await decodeImage(image(encoding, 3, 1, bytes));
      expect(data).toEqual(Uint8Array.of(0, 0, 0, 128, 128, 128, 255, 255, 255));
    }
  });

  test("16-bit mosaics keep their upper bytes", async () => {
    const rows = [
      [0, 200, 0, 100],
      [0, 100, 0, 50],
    ];
    const { data } = await decodeImage(image("bayer_rggb16", 2, 2, rows));
    expect([...data.subarray(0, 3)]).toEqual([200, 100, 50]);
  });

  test("says what is unsupported, and what is", async () => {
    const fault = await faultOf(image("yuv444", 1, 1, [[1, 2, 3]]));
    expect(fault.code).toBe("unsupported-encoding");
    expect(fault.message).toMatch(/"yuv444" is not supported; supported are rgb8, bgr8, .*nv24/);
    expect((await faultOf(image("16UC1", 1, 1, [[1, 2]]))).message).toContain("that is depth, not colour");
  });

  test("refuses sizes that contradict each other", async () => {
    const two = [[1, 2, 3, 4, 5, 6]];
    const messages = [
      [
        image("rgb8", 2, 1, two, { step: 5 }),
        "step of the rgb8 image of 2x1 pixels must be at least 6 bytes, but is 5",
      ],
      [image("rgb8", 2, 2, two), "must have at least 12 bytes, but has 6"],
      [
        image("nv21", 2, 2, [
          [1, 2],
          [3, 4],
        ]),
        "must have at least 6 bytes, but has 4",
      ],
      [image("rgb8", 0, 1, two), "has 0x1 pixels; 1x1 to 100 million"],
      [image("bayer_rggb8", 6, 1, two), "has 6x1 pixels; 2x2 to 100 million"],
      [image("mono8", 4294967295, 4294967295, two), "to 100 million are allowed"],
    ] as const;
    for (const [message, text] of messages) {
      const fault = await faultOf(message);
      expect([fault.code, fault.message]).toEqual(["malformed-message", expect.stringContaining(text)]);
    }
  });
});

describe("decodeImage of compressed images", () => {
  const width = 64;
  const height = 48;
  const picture = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return [x * 3, y * 5, 255 - x - y][i % 3]!;
  });
  const source = sharp(picture, { raw: { width, height, channels: 3 } });

  test("PNG is exact; alpha, grey and 16 bits become RGB", async () => {
    const png = await source.clone().png().toBuffer();
    expect(await decodeImage(compressed(png, "rgb8; png compressed bgr8"))).toEqual({
      width,
      height,
      data: picture,
    });
    const alpha = await source.clone().ensureAlpha(0.5).png().toBuffer();
    expect((await decodeImage(compressed(alpha, "png"))).data).toEqual(picture);
    const red = picture.filter((_, i) => i % 3 === 0);
    const grey = await sharp(red, { raw: { width, height, channels: 1 } })
      .toColourspace("b-w")
      .png()
      .toBuffer();
    expect((await sharp(grey).metadata()).channels).toBe(1);
    const { data } = await decodeImage(compressed(grey, "mono8; png compressed "));
    expect(data).toEqual(picture.map((_, i) => picture[i - (i % 3)]!));
    const wide = await source.clone().toColourspace("rgb16").png().toBuffer();
    expect(difference((await decodeImage(compressed(wide, "png"))).data, picture)).toBeLessThan(1);
  });

  test("JPEG whatever the format string calls it, as stored whatever EXIF says", async () => {
    const jpeg = await source.clone().withMetadata({ orientation: 6 }).jpeg({ quality: 98 }).toBuffer();
    const decoded = await decodeImage(compressed(jpeg, ""));
    expect([decoded.width, decoded.height]).toEqual([width, height]);
    expect(difference(decoded.data, picture)).toBeLessThan(2);
    const grey = await source.clone().greyscale().jpeg().toBuffer();
    expect((await decodeImage(compressed(grey))).data).toHaveLength(width * height * 3);
  });

  test("a mosaic compressed as grey is demosaiced", async () => {
    const flat = Uint8Array.from({ length: width * height }, (_, i) => {
      const [x, y] = [i % width, Math.floor(i / width)];
      return [200, 100, 100, 40][(y % 2) * 2 + (x % 2)]!;
    });
    const png = await sharp(flat, { raw: { width, height, channels: 1 } })
      .toColourspace("b-w")
      .png()
      .toBuffer();
    const { data } = await decodeImage(compressed(png, "bayer_rggb8; png compressed "));
    expect([...data.subarray(0, 6)]).toEqual([200, 100, 40, 200, 100, 40]);
  });

  test("says what is damaged, cut off or unknown", async () => {
    const jpeg = await source.clone().jpeg().toBuffer();
    const cut = await faultOf(compressed(jpeg.subarray(0, jpeg.length >> 1)));
    expect(cut.code).toBe("image-decoding-failed");
    expect(cut.message).toContain(
      `image of ${jpeg.length >> 1} bytes with format "jpeg" cannot be decoded: `,
    );
    const header = await faultOf(compressed(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0)));
    expect(header.code).toBe("image-decoding-failed");
    const unknown = await faultOf(compressed(Uint8Array.of(1, 2, 3, 4), "qoi"));
    expect(unknown.code).toBe("unsupported-encoding");
    expect(unknown.message).toBe(
      'the compressed image with format "qoi" starts with the bytes 01020304; supported are JPEG, PNG, TIFF, WebP',
    );
    for (const [bytes, format] of [
      [Uint8Array.of(1, 2, 3, 4), "h264"],
      [Uint8Array.of(1, 2, 3, 4), "HEVC"],
      [Uint8Array.of(0, 0, 0, 1, 0x67, 0x42), ""],
    ] as const) {
      const video = await faultOf(compressed(bytes, format));
      expect(video.code).toBe("unsupported-encoding");
      expect(video.message).toMatch(
        / video, of which a single message is no picture, .*`ros2 run image_transport republish`/,
      );
    }
    const empty = await faultOf(compressed(new Uint8Array(0)));
    expect(empty.message).toContain("starts with the bytes (none)");
    const depth = await faultOf(compressed(jpeg, "16UC1; compressedDepth png"));
    expect(depth.message).toContain("is depth, not colour");
  });

  test("random and mutated bytes give an image or a Fault, nothing else", async () => {
    const jpeg = await source.clone().jpeg().toBuffer();
    const png = await source.clone().png().toBuffer();
    const mutation = fc.record({
      base: fc.constantFrom(jpeg, png),
      edits: fc.array(fc.tuple(fc.nat(4000), fc.nat(255)), { maxLength: 8 }),
      keep: fc.integer({ min: 0, max: 4000 }),
    });
    const property = fc.asyncProperty(mutation, async ({ base, edits, keep }) => {
      const bytes = Uint8Array.from(base);
      for (const [at, value] of edits) bytes[at % bytes.length] = value;
      let decoded: RgbImage | undefined;
      try {
        decoded = await decodeImage(compressed(bytes.subarray(0, keep)));
      } catch (error) {
        expect(error).toBeInstanceOf(Fault);
      }
      if (decoded !== undefined) expect(decoded.data).toHaveLength(decoded.width * decoded.height * 3);
    });
    await fc.assert(property, { seed: 11, numRuns: 100 });
    await fc.assert(property, { numRuns: 100 });
  });
});

describeWithPython("decodeImage against OpenCV", () => {
  const [width, height] = [48, 32];
  let seed = 5;
  const bytes = Uint8Array.from(
    { length: width * height * 2 },
    () => (seed = (seed * 48271) % 2147483647) & 255,
  );
  let results: ReturnType<typeof runReference>;
  beforeAll(() => {
    results = runReference(
      "images_opencv.py",
      { bytes: { data: bytes, shape: [bytes.length] } },
      { width, height },
    );
  });

  const raw = (encoding: string, step: number): Image =>
    image(encoding, width, height, [[]], { step, data: bytes });

  test.each(["uyvy", "yuyv", "nv21"])("%s is equal", async (encoding) => {
    const step = encoding === "nv21" ? width : width * 2;
    const { data } = await decodeImage(raw(encoding, step));
    expect(data).toEqual(results[encoding]!.data);
  });

  test.each(["rggb", "bggr", "gbrg", "grbg"])("bayer_%s8 is equal away from the border", async (pattern) => {
    const { data } = await decodeImage(raw(`bayer_${pattern}8`, width));
    const inner = (pixels: ArrayLike<number>) =>
      Array.from(pixels).filter((_, i) => {
        const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
        return x > 0 && y > 0 && x < width - 1 && y < height - 1;
      });
    expect(inner(data)).toEqual(inner(results[pattern]!.data as Uint8Array));
  });

  test("JPEG within rounding, PNG equal", async () => {
    const jpeg = await decodeImage(compressed(results["jpeg"]!.data as Uint8Array));
    expect(difference(jpeg.data, results["jpeg_rgb"]!.data as Uint8Array)).toBeLessThan(0.5);
    const png = await decodeImage(compressed(results["png"]!.data as Uint8Array, "png"));
    expect(png.data).toEqual(results["png_rgb"]!.data);
  });

  test("TIFF and WebP, whatever the format is called", async () => {
    const tiff = await decodeImage(
      compressed(results["tiff"]!.data as Uint8Array, "bgr8; tiff compressed bgr8"),
    );
    expect(tiff.data).toEqual(results["tiff_rgb"]!.data);
    const webp = await decodeImage(compressed(results["webp"]!.data as Uint8Array, "jpeg"));
    expect(difference(webp.data, results["webp_rgb"]!.data as Uint8Array)).toBeLessThan(0.5);
  });
});
