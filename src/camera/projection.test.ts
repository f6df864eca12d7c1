import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import type { CameraModel } from "./CameraModel.js";
import { validRadius, type DistortionModel } from "./distortion.js";
import { emptyProjection, projectPoints } from "./projection.js";

const IDENTITY = Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);

function camera(
  distortion: DistortionModel,
  coefficients: number[],
  change: Partial<CameraModel> = {},
): CameraModel {
  return {
    width: 1280,
    height: 720,
    fx: 700,
    fy: 710,
    cx: 630,
    cy: 350,
    skew: 0,
    distortion,
    coefficients,
    validRadius: validRadius(distortion, coefficients),
    fromOptical: IDENTITY,
    ...change,
  };
}

function visibleOf(model: CameraModel, points: readonly number[]): number[] {
  const out = emptyProjection();
  projectPoints(model, IDENTITY, Float32Array.from(points), points.length / 3, out);
  return [...out.visible];
}

describe("projectPoints", () => {
  test("refuses what is behind, too near, or not finite", () => {
    // prettier-ignore
    const points = [0, 0, 5, 0, 0, -5, 0, 0, 0, 0, 0, 0.05, NaN, 0, 5, 0, Infinity, 5, 0, 0, Infinity, 0, 0, NaN];
    expect(visibleOf(camera("none", []), points)).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
    const lens = camera("equidistant", [0, 0, 0, 0]);
    expect(visibleOf(lens, points)).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
  });

  test("the image reaches half a pixel beyond the outer pixel centres", () => {
    const model = camera("none", [], { fx: 512, cx: 0, cy: 0 });
    const at = (u: number) => visibleOf(model, [u / 512, 0, 1])[0];
    expect([-0.5, -0.5625, 1279.4375, 1279.5].map(at)).toEqual([1, 0, 1, 0]);
  });

  test("points beyond the valid radius do not fold back into the image", () => {
    const coefficients = [-0.3, 0, 0, 0, 0, 0, 0, 0];
    const model = camera("plumb_bob", coefficients);
    // r - 0.3 r^3 stops to grow where 1 = 0.9 r^2.
    expect(model.validRadius).toBeCloseTo(1 / Math.sqrt(0.9), 12);
    expect(visibleOf(model, [0.6, 0, 1, 1.5, 0, 1])).toEqual([1, 0]);
    expect(visibleOf(camera("plumb_bob", coefficients, { validRadius: Infinity }), [1.5, 0, 1])).toEqual([1]);
  });

  test("points beyond where a thin prism folds do not come back into the image", () => {
    // x = a - 0.4 a^2 along the x axis stops to grow at a = 1.25, where -a only goes on growing.
    const model = camera("thin_prism", [0, 0, 0, 0, 0, 0, 0, 0, -0.4, 0, 0, 0, 0, 0]);
    expect(model.validRadius).toBeCloseTo(1.25, 9);
    expect(visibleOf(model, [0.8, 0, 1, 1.4, 0, 1])).toEqual([1, 0]);
    // A sensor that is tilted by 0.8 rad never sees directions that would be behind it.
    const tilted = camera("thin_prism", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.8], {
      width: 1e9,
      cx: 5e8,
    });
    expect(tilted.validRadius).toBeCloseTo(1 / Math.tan(0.8), 3);
    expect(visibleOf(tilted, [0.9, 0, 1, -0.9, 0, 1, 1.5, 0, 1, -1.5, 0, 1])).toEqual([1, 1, 0, 0]);
  });

  test("within the valid radius a farther angle is always a farther pixel", () => {
    const coefficient = fc.double({ min: -0.6, max: 0.6, noNaN: true });
    const models = fc.constantFrom<DistortionModel>("plumb_bob", "rational_polynomial", "equidistant");
    const property = fc.property(
      models,
      fc.array(coefficient, { minLength: 8, maxLength: 8 }),
      (model, k) => {
        const coefficients = model === "equidistant" ? k.slice(0, 4) : k;
        coefficients.splice(2, model === "equidistant" ? 0 : 2, ...(model === "equidistant" ? [] : [0, 0]));
        if (model === "plumb_bob") coefficients.fill(0, 5);
        const lens = camera(model, coefficients, { width: 1e12, fx: 1, cx: 0 });
        const largest = Math.min(
          model === "equidistant" ? Math.tan(Math.min(lens.validRadius, 1.5)) : lens.validRadius,
          20,
        );
        const points = Array.from({ length: 100 }, (_, i) => [(largest * (i + 1)) / 101, 0, 1]).flat();
        const out = emptyProjection();
        projectPoints(lens, IDENTITY, Float32Array.from(points), 100, out);
        // The radius is found on a grid: a fold narrower than its step may stay.
        for (let i = 1; i < 100; i++) expect(out.u[i]!).toBeGreaterThanOrEqual(out.u[i - 1]!);
        expect(out.visible.every((value) => value === 1)).toBe(true);
      },
    );
    fc.assert(property, { seed: 7, numRuns: 60 });
    fc.assert(property, { numRuns: 60 });
  });
});

describeWithPython("projection against OpenCV", () => {
  test("pixels of random cameras, poses and points agree to 1e-6 pixels", () => {
    let seed = 4711;
    const random = (low: number, high: number) => {
      seed = (seed * 48271) % 2147483647;
      return low + (high - low) * (seed / 2147483647);
    };
    const [count, each] = [16, 400];
    const models = Array.from({ length: count }, (_, index) => {
      const intrinsics = {
        fx: random(300, 900),
        fy: random(300, 900),
        cx: random(500, 700),
        cy: random(300, 400),
      };
      const small = () => random(-0.002, 0.002);
      switch (index % 4) {
        case 0: {
          const k = [random(-0.3, 0.1), random(-0.1, 0.1), small(), small(), random(-0.05, 0.05), 0, 0, 0];
          return camera("plumb_bob", k, intrinsics);
        }
        case 1: {
          const k = [random(0, 0.5), random(0, 0.1), small(), small(), random(0, 0.02)];
          k.push(random(0, 0.8), random(0, 0.2), random(0, 0.03));
          return camera("rational_polynomial", k, intrinsics);
        }
        case 2: {
          const k = [random(-0.2, 0.1), random(-0.05, 0.05), small(), small(), random(0, 0.02), 0, 0, 0];
          k.push(random(-0.02, 0.02), random(-0.01, 0.01), random(-0.02, 0.02), random(-0.01, 0.01));
          // Every other sensor is tilted.
          k.push(...(index % 8 === 2 ? [0, 0] : [random(-0.1, 0.1), random(-0.1, 0.1)]));
          return camera("thin_prism", k, intrinsics);
        }
        default: {
          const k = [random(-0.03, 0.03), random(-0.01, 0.01), random(-0.005, 0.005), random(-0.001, 0.001)];
          return camera("equidistant", k, intrinsics);
        }
      }
    });
    const points = Float32Array.from({ length: each * 3 }, () => random(-10, 10));
    // Rotation vector and translation of the cloud in each camera; the script returns the matrices.
    const poses = Float64Array.from({ length: count * 6 }, () => random(-1, 1));
    const cameras = Float64Array.from(
      models.flatMap(({ fx, fy, cx, cy, coefficients }) => {
        return [fx, fy, cx, cy, ...Array.from({ length: 14 }, (_, i) => coefficients[i] ?? 0)];
      }),
    );
    const expected = runReference(
      "projection_opencv.py",
      {
        points: { data: points, shape: [each, 3] },
        poses: { data: poses, shape: [count, 6] },
        cameras: { data: cameras, shape: [count, 18] },
      },
      { models: models.map((model) => model.distortion) },
    );
    const [pixels, matrices] = [expected["pixels"]!.data, expected["matrices"]!.data as Float64Array];
    const out = emptyProjection();
    let compared = 0;
    let largest = 0;
    for (const [index, model] of models.entries()) {
      projectPoints(model, matrices.slice(index * 16, index * 16 + 16), points, each, out);
      for (let i = 0; i < each; i++) {
        if (out.visible[i] === 0) continue;
        const at = (index * each + i) * 2;
        const error = Math.hypot(out.u[i]! - Number(pixels[at]), out.v[i]! - Number(pixels[at + 1]));
        largest = Math.max(largest, error);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(500);
    expect(largest).toBeLessThan(1e-6);
  });
});
