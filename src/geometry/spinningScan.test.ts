import { expect, test } from "@jest/globals";
import { spinningScan } from "./spinningScan.js";

const OPTIONS = { pointCount: 6400, rings: 64, seed: 1 };

test("the same seed gives the same scan, another seed another", () => {
  expect(spinningScan(OPTIONS)).toEqual(spinningScan(OPTIONS));
  expect(spinningScan({ ...OPTIONS, seed: 2 })).not.toEqual(spinningScan(OPTIONS));
});

test("all beams return from the ground or from something above it, inside the street", () => {
  const xyz = spinningScan(OPTIONS);
  for (let point = 0; point < OPTIONS.pointCount; point++) {
    const [x, y, z] = xyz.subarray(3 * point, 3 * point + 3);
    expect(Math.abs(x!)).toBeLessThan(81);
    expect(Math.abs(y!)).toBeLessThan(19);
    expect(z!).toBeGreaterThan(-1.8);
    expect(z!).toBeLessThan(6);
  }
});

test("a scan has whole columns", () => {
  expect(() => spinningScan({ ...OPTIONS, pointCount: 100 })).toThrow(
    "pointCount 100 is no multiple of rings 64",
  );
});
