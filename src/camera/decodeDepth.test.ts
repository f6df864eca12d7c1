import { describe, expect, test } from "@jest/globals";
import type { CompressedImage, Image } from "../messages/types.js";
import { decodeDepth } from "./decodeDepth.js";
import { sharp } from "./libvips.js";

const HEADER = { stamp: 0n, frameId: "camera" };

function depthImage(encoding: string, step: number, data: Uint8Array, isBigEndian = false): Image {
  return { header: HEADER, width: 2, height: 2, encoding, isBigEndian, step, data };
}

/** What compressed_depth_image_transport sends: its header, then a PNG of 16 bits. */
async function compressedDepth(
  samples: number[],
  format: string,
  scale = 0,
  shift = 0,
): Promise<CompressedImage> {
  const raw = { width: 2, height: 2, channels: 1 } as const;
  const png = await sharp(Uint16Array.from(samples), { raw }).toColourspace("grey16").png().toBuffer();
  const header = Buffer.alloc(12);
  header.writeFloatLE(scale, 4);
  header.writeFloatLE(shift, 8);
  return { header: HEADER, format, data: Buffer.concat([header, png]) };
}

/** 2x2 pixels of one float each, which the image library cannot write. */
function floatTiff(values: Float32Array): Uint8Array {
  const long = 4;
  // Width, height, bits, no compression, black is 0, where the pixels are, channels, rows and bytes of the strip, floats
  const tags = [
    [256, 2],
    [257, 2],
    [258, 32],
    [259, 1],
    [262, 1],
    [273, 8],
    [277, 1],
    [278, 2],
    [279, 16],
    [339, 3],
  ] as const;
  const file = Buffer.alloc(8 + 16 + 2 + 12 * tags.length + 4);
  file.write("II*", "latin1");
  file.writeUInt32LE(24, 4);
  values.forEach((value, i) => file.writeFloatLE(value, 8 + 4 * i));
  file.writeUInt16LE(tags.length, 24);
  tags.forEach(([tag, value], i) => {
    const at = 26 + 12 * i;
    file.writeUInt16LE(tag, at);
    file.writeUInt16LE(long, at + 2);
    file.writeUInt32LE(1, at + 4);
    file.writeUInt32LE(value, at + 8);
  });
  return new Uint8Array(file);
}

describe("decodeDepth", () => {
  test("16UC1 is millimetres with 0 for unknown, in rows with padding and either byte order", async () => {
    const little = Uint8Array.of(0, 0, 232, 3, 99, 99, 1, 0, 255, 255);
    const expected = { width: 2, height: 2, data: Float32Array.of(NaN, 1, 0.001, 65.535) };
    expect(await decodeDepth(depthImage("16UC1", 6, little))).toEqual(expected);
    const big = Uint8Array.of(0, 0, 3, 232, 99, 99, 0, 1, 255, 255);
    expect(await decodeDepth(depthImage("16UC1", 6, big, true))).toEqual(expected);
  });

  test("32FC1 is metres", async () => {
    const data = new Uint8Array(Float32Array.of(1.5, NaN, Infinity, 0).buffer);
    const decoded = await decodeDepth(depthImage("32FC1", 8, data));
    expect(decoded.data).toEqual(Float32Array.of(1.5, NaN, Infinity, NaN));
  });

  test("compressedDepth, of integers and of quantized inverse floats", async () => {
    const samples = [0, 1000, 2000, 65535];
    const integers = await decodeDepth(await compressedDepth(samples, "16UC1; compressedDepth png"));
    expect(integers.data).toEqual(Float32Array.of(NaN, 1, 2, 65.535));
    const floats = await decodeDepth(await compressedDepth(samples, "32FC1; compressedDepth", 4000, -1000));
    expect(floats.data).toEqual(Float32Array.of(NaN, 2, 4000 / 3000, 4000 / 66535));
  });

  test.each([
    "16UC1; png compressed ",
    "16UC1; png compressed 16UC1",
    "16UC1;png",
    "mono16; png compressed",
    "png",
    "",
    "16UC1; compressedDepth png",
    "16UC1; compressedDepth",
  ])("a plain PNG of 16 bits is millimetres, whatever its format: %j", async (format) => {
    const { data, ...message } = await compressedDepth([0, 1000, 2000, 65535], format);
    const expected = Float32Array.of(NaN, 1, 2, 65.535);
    expect((await decodeDepth({ ...message, data: data.subarray(12) })).data).toEqual(expected);
    expect((await decodeDepth({ ...message, data })).data).toEqual(expected);
  });

  test("TIFF holds metres in floats or millimetres in 16 bits", async () => {
    const data = floatTiff(Float32Array.of(0, 1.25, 2.5, 40));
    const message = { header: HEADER, format: "32FC1; tiff compressed", data };
    expect((await decodeDepth(message)).data).toEqual(Float32Array.of(NaN, 1.25, 2.5, 40));
    const samples = Uint16Array.of(0, 1000, 2000, 65535);
    const raw = { width: 2, height: 2, channels: 1 } as const;
    const shorts = await sharp(samples, { raw })
      .toColourspace("grey16")
      .tiff({ compression: "none" })
      .toBuffer();
    const millimetres = { ...message, format: "16UC1; tiff compressed", data: new Uint8Array(shorts) };
    expect((await decodeDepth(millimetres)).data).toEqual(Float32Array.of(NaN, 1, 2, 65.535));
  });

  test("a PNG that cannot be depth is refused", async () => {
    const raw = { width: 2, height: 2, channels: 1 } as const;
    const grey = await sharp(Uint8Array.of(1, 2, 3, 4), { raw })
      .toColourspace("b-w")
      .png()
      .toBuffer();
    const message = { header: HEADER, format: "16UC1; png compressed", data: new Uint8Array(grey) };
    await expect(decodeDepth(message)).rejects.toThrow("is a PNG that is not one channel of 16 bits");
    const { data, ...float } = await compressedDepth([1, 2, 3, 4], "32FC1; compressedDepth png");
    await expect(decodeDepth({ ...float, data: data.subarray(12) })).rejects.toThrow(
      "is a PNG that has lost the header that scales it",
    );
  });

  test("refuses what is not depth, cut off, or of another codec", async () => {
    await expect(decodeDepth(depthImage("rgb8", 6, new Uint8Array(12)))).rejects.toThrow(
      'the depth encoding "rgb8" is not supported; supported are 16UC1, mono16, 32FC1',
    );
    await expect(decodeDepth(depthImage("32FC1", 8, new Uint8Array(15)))).rejects.toThrow(
      "at least 16 bytes",
    );
    const whole = await compressedDepth([1, 2, 3, 4], "16UC1; compressedDepth png");
    const cut = { ...whole, data: whole.data.subarray(0, 40) };
    await expect(decodeDepth(cut)).rejects.toThrow("of 28 bytes");
    await expect(decodeDepth({ ...whole, data: new Uint8Array(3) })).rejects.toThrow("at least 12 bytes");
    const other = { ...whole, format: "16UC1; compressedDepth jxl", data: new Uint8Array(60).fill(7) };
    await expect(decodeDepth(other)).rejects.toThrow('"16UC1; compressedDepth jxl" is not supported');
  });
});
