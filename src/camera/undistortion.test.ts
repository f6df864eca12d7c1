import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import type { CameraModel } from "./CameraModel.js";
import { distorter, validRadius, type DistortionModel } from "./distortion.js";
import { pixelRays, undistorter } from "./undistortion.js";

const [WIDTH, HEIGHT] = [640, 480];

function camera(distortion: DistortionModel, coefficients: readonly number[], focal = 400): CameraModel {
  return {
    width: WIDTH,
    height: HEIGHT,
    fx: focal,
    fy: focal + 5,
    cx: 325,
    cy: 236,
    skew: 0,
    distortion,
    coefficients,
    validRadius: validRadius(distortion, coefficients),
    fromOptical: Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1),
  };
}

describe("undistorter", () => {
  test("gives back what was distorted, anywhere within the valid radius", () => {
    const coefficient = fc.double({ min: -0.4, max: 0.4, noNaN: true });
    const property = fc.property(
      fc.constantFrom<DistortionModel>("none", "plumb_bob", "rational_polynomial", "equidistant"),
      fc.array(coefficient, { minLength: 8, maxLength: 8 }),
      fc.double({ min: 0, max: 0.9, noNaN: true }),
      fc.double({ min: 0, max: 2 * Math.PI, noNaN: true }),
      (model, k, share, angle) => {
        const coefficients = model === "equidistant" ? k.slice(0, 4).map((c) => c / 4) : k;
        if (model !== "equidistant") coefficients.splice(2, 2, k[2]! / 100, k[3]! / 100);
        if (model === "plumb_bob") coefficients.fill(0, 5);
        const lens = camera(model, coefficients);
        const largest =
          model === "equidistant"
            ? Math.tan(Math.min(lens.validRadius, 1.4))
            : Math.min(lens.validRadius, 1.5);
        const [a, b] = [share * largest * Math.cos(angle), share * largest * Math.sin(angle)];
        const distorted = new Float64Array(2);
        const found = new Float64Array(2);
        expect(distorter(model, lens.coefficients, lens.validRadius)(a, b, distorted)).toBe(true);
        expect(undistorter(lens)(distorted[0]!, distorted[1]!, found)).toBe(true);
        const back = new Float64Array(2);
        distorter(model, lens.coefficients, lens.validRadius)(found[0]!, found[1]!, back);
        expect(Math.hypot(back[0]! - distorted[0]!, back[1]! - distorted[1]!)).toBeLessThan(1e-8);
      },
    );
    fc.assert(property, { seed: 11, numRuns: 300 });
    fc.assert(property, { numRuns: 200 });
  });

  test("says where nothing leads to", () => {
    // r - 0.3 r^3 is never more than 0.703.
    const lens = camera("plumb_bob", [-0.3, 0, 0, 0, 0, 0, 0, 0]);
    const out = new Float64Array(2);
    expect(undistorter(lens)(0.69, 0, out)).toBe(true);
    expect(undistorter(lens)(0.72, 0, out)).toBe(false);
    const rays = pixelRays(camera("plumb_bob", [-0.3, 0, 0, 0, 0, 0, 0, 0], 350));
    expect([rays[0], rays[2 * (236 * WIDTH + 325)]]).toEqual([NaN, expect.closeTo(0, 9)]);
  });
});

describeWithPython("undistortion against OpenCV", () => {
  test("the rays of all pixels of a grid agree to 1e-3 pixels", () => {
    const lenses = [
      camera("plumb_bob", [-0.28, 0.09, 0.0008, -0.0005, -0.01, 0, 0, 0]),
      camera("plumb_bob", [0.12, -0.05, -0.001, 0.002, 0.01, 0, 0, 0]),
      camera("rational_polynomial", [0.45, -2.4, 0.0004, -0.0002, 1.4, 0.33, -2.2, 1.3], 505),
      camera("thin_prism", [-0.2, 0.06, 0.0008, -0.0005, 0, 0, 0, 0, 0.004, -0.002, 0.003, 0.001, 0, 0]),
      camera("thin_prism", [0.1, -0.03, 0, 0.001, 0, 0, 0, 0, 0.004, 0, -0.003, 0, 0.05, -0.08]),
      camera("equidistant", [0.02, -0.006, 0.003, -0.0007], 260),
    ];
    const pixels = Array.from({ length: 48 }, (_, i) => [40 + (i % 8) * 80, 40 + Math.floor(i / 8) * 80]);
    const rays = runReference(
      "undistortion_opencv.py",
      {
        pixels: {
          data: Float64Array.from(lenses.flatMap(() => pixels.flat())),
          shape: [lenses.length, pixels.length, 2],
        },
        cameras: {
          data: Float64Array.from(
            lenses.flatMap(({ fx, fy, cx, cy, coefficients }) => [
              ...[fx, fy, cx, cy],
              ...Array.from({ length: 14 }, (_, i) => coefficients[i] ?? 0),
            ]),
          ),
          shape: [lenses.length, 18],
        },
      },
      { models: lenses.map(({ distortion }) => distortion) },
    )["rays"]!.data;
    let largest = 0;
    lenses.forEach((lens, l) => {
      const own = pixelRays(lens);
      pixels.forEach(([u, v], i) => {
        const at = 2 * (v! * WIDTH + u!);
        const reference = 2 * (l * pixels.length + i);
        const missU = (own[at]! - Number(rays[reference])) * lens.fx;
        const missV = (own[at + 1]! - Number(rays[reference + 1])) * lens.fy;
        expect(Number.isNaN(missU)).toBe(false);
        largest = Math.max(largest, Math.hypot(missU, missV));
      });
    });
    expect(largest).toBeLessThan(1e-3);
  });
});
