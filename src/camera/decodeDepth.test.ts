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
    const other = { ...whole, format: "16UC1; compressedDepth jxl" };
    await expect(decodeDepth(other)).rejects.toThrow('"16UC1; compressedDepth jxl" is not supported');
  });
});
