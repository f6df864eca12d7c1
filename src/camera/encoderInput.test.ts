import { describe, expect, test } from "@jest/globals";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import { prepareEncoderInput } from "./encoderInput.js";
import type { ResizeRule } from "./PatchGrid.js";
import type { RgbImage } from "./RgbImage.js";

const PLAIN = { mean: [0, 0, 0], std: [1, 1, 1] } as const;

/** Red holds the column, green the row (both scaled), blue is 100. */
function positions(width: number, height: number, scale: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    data.set([(i % width) * scale, Math.floor(i / width) * scale, 100], i * 3);
  }
  return { width, height, data };
}

describe("prepareEncoderInput", () => {
  const sizes: [string, ResizeRule, number, number, number][] = [
    ["shrinks, stretched", "stretch", 250, 100, 1],
    ["shrinks into a letterbox", "letterbox", 250, 100, 1],
    ["shrinks a tall image into a letterbox", "letterbox", 90, 250, 1],
    ["enlarges, stretched", "stretch", 40, 30, 5],
    ["enlarges into a letterbox", "letterbox", 40, 30, 5],
  ];
  test.each(sizes)("%s: pixels lie where the affine says", async (_, resize, width, height, scale) => {
    const [inputWidth, inputHeight] = [112, 70];
    const picture = positions(width, height, scale);
    const { data, imageToInput } = await prepareEncoderInput(picture, {
      inputWidth,
      inputHeight,
      resize,
      ...PLAIN,
    });
    const { scaleX, scaleY, offsetX, offsetY } = imageToInput;
    let [inside, largest] = [0, 0];
    for (let y = 0; y < inputHeight; y++) {
      for (let x = 0; x < inputWidth; x++) {
        const at = y * inputWidth + x;
        const [u, v] = [(x - offsetX) / scaleX, (y - offsetY) / scaleY];
        if (u < -0.5 || v < -0.5 || u > width - 0.5 || v > height - 0.5) {
          expect([data[at], data[at + 7840], data[at + 15680]]).toEqual([0, 0, 0]);
          continue;
        }
        // Near the border the filter has no pixels on one side.
        const margin = 1 + 1 / Math.min(scaleX, scaleY);
        if (u < margin || v < margin || u > width - 1 - margin || v > height - 1 - margin) continue;
        inside++;
        const [foundU, foundV] = [(data[at]! * 255) / scale, (data[at + 7840]! * 255) / scale];
        largest = Math.max(largest, Math.abs(foundU - u), Math.abs(foundV - v));
      }
    }
    expect(inside).toBeGreaterThan(800);
    // Half a level of rounding, and libvips' positions of 1/64 pixel.
    expect(largest).toBeLessThan(0.75 / Math.min(scale, 1) + 0.05);
  });

  test("normalizes per channel and writes into a batch", async () => {
    const picture = { width: 2, height: 1, data: Uint8Array.of(0, 51, 255, 255, 102, 0) };
    const batch = new Float32Array(12).fill(7);
    const out = batch.subarray(6);
    const { data } = await prepareEncoderInput(picture, {
      inputWidth: 2,
      inputHeight: 1,
      resize: "stretch",
      mean: [0.5, 0.2, 0],
      std: [0.5, 0.1, 2],
      out,
    });
    expect(data).toBe(out);
    const expected = [-1, 1, 0, 2, 0.5, 0];
    for (const [index, value] of expected.entries()) expect(out[index]).toBeCloseTo(value, 6);
    expect(batch.subarray(0, 6).every((value) => value === 7)).toBe(true);
  });

  test("the border of a letterbox is cleared in a used buffer", async () => {
    const out = new Float32Array(3 * 8 * 4).fill(7);
    const options = { inputWidth: 8, inputHeight: 4, resize: "letterbox", ...PLAIN, out } as const;
    await prepareEncoderInput({ width: 4, height: 4, data: new Uint8Array(48).fill(255) }, options);
    expect([...out.subarray(0, 8)]).toEqual([0, 0, 1, 1, 1, 1, 0, 0]);
  });
});

describeWithPython("prepareEncoderInput against Pillow", () => {
  test("libvips' linear is Pillow's BILINEAR to a quarter of a grey level on average", async () => {
    const [width, height] = [320, 180];
    const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
      return 128 + 60 * Math.sin(x / (5 + (i % 3))) + 60 * Math.cos((x * y) / 900);
    });
    const options = { inputWidth: 126, inputHeight: 70, resize: "letterbox", ...PLAIN } as const;
    const { data: ours } = await prepareEncoderInput({ width, height, data }, options);
    const { resized } = runReference(
      "resize_pillow.py",
      { picture: { data, shape: [height, width, 3] } },
      options,
    );
    let [sum, largest] = [0, 0];
    for (let i = 0; i < ours.length; i++) {
      const error = Math.abs(ours[i]! * 255 - Number(resized!.data[i]));
      sum += error;
      largest = Math.max(largest, error);
    }
    expect(sum / ours.length).toBeLessThan(0.25);
    expect(largest).toBeLessThan(8);
  });
});
