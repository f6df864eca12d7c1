import { beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import { Fault } from "../faults/Fault.js";
import { decodeDepth } from "./decodeDepth.js";
import { decodeRvl } from "./rvl.js";

/** Nibbles of the paper's coding, packed. */
function packed(...nibbles: number[]): Uint8Array {
  const data = new DataView(new ArrayBuffer(4 * Math.ceil(nibbles.length / 8)));
  nibbles.forEach((nibble, i) => {
    const at = 4 * Math.floor(i / 8);
    data.setUint32(at, (data.getUint32(at, true) | (nibble << (28 - 4 * (i % 8)))) >>> 0, true);
  });
  return new Uint8Array(data.buffer);
}

function decoded(data: Uint8Array, pixels: number): number[] {
  const out = new Uint16Array(pixels).fill(0xabcd);
  decodeRvl(data, out);
  return [...out];
}

describe("decodeRvl", () => {
  test("runs of zeros and differences, by hand", () => {
    // 2 zeros, 3 samples: +1000 (zigzag 2000 = 0b11_111_010_000), -1 (1), +2 (4).
    expect(decoded(packed(2, 3, 8, 10, 15, 3, 1, 4), 5)).toEqual([0, 0, 1000, 999, 1001]);
    expect(decoded(packed(0, 1, 1, 0, 0), 1)).toEqual([65535]);
  });

  test("says where data end too early or run too far", () => {
    expect(() => decoded(packed(2, 3, 1), 5 + 100)).toThrow("ends after 5 of 105 pixels");
    expect(() => decoded(packed(7), 5)).toThrow("has a run of 7 pixels after 0 of 5");
    expect(() => decoded(packed(...Array<number>(16).fill(15)), 5)).toThrow("more than 11 nibbles");
    expect(() => decoded(new Uint8Array(3), 1)).toThrow("ends after 0 of 1 pixels");
  });

  test("any bytes give pixels or a Fault", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 3000 }), (data, pixels) => {
        try {
          decoded(data, pixels);
        } catch (error) {
          expect(error).toBeInstanceOf(Fault);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describeWithPython("against a compressor written from the paper", () => {
  const WIDTH = 40;
  const HEIGHT = 30;
  const images = fc.sample(
    fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.constant(0) },
        { weight: 3, arbitrary: fc.integer({ min: 900, max: 1100 }) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 65535 }) },
      ),
      { minLength: WIDTH * HEIGHT, maxLength: WIDTH * HEIGHT },
    ),
    { numRuns: 8, seed: 5 },
  );
  const inputs = [
    ...images,
    Array<number>(WIDTH * HEIGHT).fill(0),
    Array<number>(WIDTH * HEIGHT).fill(65535),
  ];
  let compressed: ReturnType<typeof runReference>;
  beforeAll(() => {
    const arrays = inputs.map(
      (samples, i) => [`depth${i}`, { data: Uint16Array.from(samples), shape: [HEIGHT, WIDTH] }] as const,
    );
    compressed = runReference("rvl.py", Object.fromEntries(arrays));
  });

  test("every sample comes back", () => {
    inputs.forEach((samples, i) => {
      expect(decoded(compressed[`depth${i}`]!.data as Uint8Array, WIDTH * HEIGHT)).toEqual(samples);
    });
  });

  test("as a message of compressed_depth_image_transport", async () => {
    const rvl = compressed["depth0"]!.data as Uint8Array;
    const message = Buffer.alloc(20 + rvl.length, 0x55);
    message.writeUInt32LE(WIDTH, 12);
    message.writeUInt32LE(HEIGHT, 16);
    message.set(rvl, 20);
    const header = { stamp: 0n, frameId: "camera" };
    const depth = await decodeDepth({ header, format: "16UC1; compressedDepth rvl", data: message });
    expect([depth.width, depth.height]).toEqual([WIDTH, HEIGHT]);
    expect(depth.data).toEqual(Float32Array.from(inputs[0]!, (mm) => (mm === 0 ? NaN : mm * 0.001)));
    message.writeUInt32LE(0xffffffff, 16);
    await expect(
      decodeDepth({ header, format: "16UC1; compressedDepth rvl", data: message }),
    ).rejects.toThrow("40x4294967295 pixels; allowed are 1 to");
    await expect(
      decodeDepth({ header, format: "16UC1; compressedDepth rvl", data: message.subarray(0, 19) }),
    ).rejects.toThrow("at least 20 bytes");
  });
});
