import { describe, expect, test } from "@jest/globals";
import { IntensityScale } from "./IntensityScale.js";

/** 100 values up to `largest`. */
function upTo(largest: number): Float32Array {
  return Float32Array.from({ length: 100 }, (_, i) => (largest * (i + 1)) / 100);
}

const BYTES = [1, 255];

describe("IntensityScale", () => {
  test("values beyond a byte are fitted, with the upper half for what reflects more than all of them", () => {
    expect(new IntensityScale().observe(upTo(6000), BYTES)).toBe(2 * 5940);
    expect(new IntensityScale().observe(upTo(255), BYTES)).toBe(255);
    expect(new IntensityScale().observe(upTo(1), BYTES)).toBe(1);
  });

  test("counts in 16 bits are fitted as well, up to the largest that 16 bits hold", () => {
    const shorts = [255, 65535];
    expect(new IntensityScale().observe(upTo(6000), shorts)).toBe(2 * 5940);
    expect(new IntensityScale().observe(upTo(65535), shorts)).toBe(65535);
    expect(new IntensityScale().observe(upTo(200), shorts)).toBe(255);
  });

  test("points without a return say nothing about the scale", () => {
    const values = new Float32Array(10_000);
    values.set(upTo(6000));
    expect(new IntensityScale().observe(values, BYTES)).toBe(2 * 5940);
  });

  test("a wild scan changes nothing when it comes late, and not for ever when it comes first", () => {
    const late = new IntensityScale();
    const scales = Array.from({ length: 60 }, (_, i) => late.observe(upTo(i === 20 ? 60000 : 200), BYTES));
    expect(new Set(scales)).toEqual(new Set([255]));
    const first = new IntensityScale();
    const settled = Array.from({ length: 40 }, (_, i) => first.observe(upTo(i === 0 ? 60000 : 200), BYTES));
    expect([settled[0], settled[29], settled[30], settled[39]]).toEqual([118800, 118800, 255, 255]);
  });

  test("a sensor that is set anew is followed after three scans, and does not flicker", () => {
    const scale = new IntensityScale();
    const scales = Array.from({ length: 100 }, (_, i) =>
      scale.observe(upTo(i < 15 ? 200 : i % 2 === 0 ? 4000 : 5000), BYTES),
    );
    expect(scales.slice(14, 20)).toEqual([255, 255, 255, 7920, 7920, 7920]);
    expect(new Set(scales.slice(20)).size).toBe(1);
  });

  test("scans without a value decide nothing", () => {
    const scale = new IntensityScale();
    expect(scale.observe(new Float32Array(100), BYTES)).toBe(1);
    expect(scale.observe(upTo(200), BYTES)).toBe(255);
    for (let i = 0; i < 100; i++) expect(scale.observe(new Float32Array(0), BYTES)).toBe(255);
  });
});
