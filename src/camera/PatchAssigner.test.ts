import { describe, expect, test } from "@jest/globals";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import { Fault } from "../faults/Fault.js";
import type { CameraModel } from "./CameraModel.js";
import { validRadius, type DistortionModel } from "./distortion.js";
import { PatchAssigner, type CameraView, type PatchSampling } from "./PatchAssigner.js";
import type { PatchGrid, ResizeRule } from "./PatchGrid.js";

const IDENTITY = Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);
const GRID: PatchGrid = { inputWidth: 448, inputHeight: 140, patchSize: 14, resize: "stretch" };
const PATCHES = 32 * 10;

function camera(distortion: DistortionModel = "none", coefficients: number[] = []): CameraModel {
  return {
    width: 1242,
    height: 375,
    fx: 700,
    fy: 710,
    cx: 620,
    cy: 190,
    skew: 0,
    distortion,
    coefficients,
    validRadius: validRadius(distortion, coefficients),
    fromOptical: IDENTITY,
  };
}

function view(x = 0, y = 0, z = 0, angle = 0, model = camera()): CameraView {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return { model, cloudToOptical: Float64Array.of(c, 0, -s, 0, 0, 1, 0, 0, s, 0, c, 0, x, y, z, 1) };
}

/** A plane of points across the view, metres. */
function plane(halfWidth: number, halfHeight: number, depth: number, step: number): number[] {
  const points: number[] = [];
  for (let x = -halfWidth; x <= halfWidth; x += step) {
    for (let y = -halfHeight; y <= halfHeight; y += step) points.push(x, y, depth);
  }
  return points;
}

function everyPoint(xyz: Float32Array): Int32Array {
  return Int32Array.from({ length: xyz.length / 3 }, (_, index) => index);
}

describe("PatchAssigner", () => {
  const request = { encoder: GRID, sampling: "nearest", occlusion: true } as const;

  test("points behind a near object are not seen, those beside it are", () => {
    const near = plane(1, 1, 5, 0.05);
    const xyz = Float32Array.from([...near, ...plane(20, 5, 30, 0.23)]);
    const { weight } = new PatchAssigner().assign({
      ...request,
      xyz,
      representative: everyPoint(xyz),
      cameras: [view()],
    });
    const seen = (from: number, to: number) => weight.subarray(from, to).every((value) => value === 1);
    expect(seen(0, near.length / 3)).toBe(true);
    let [behind, beside] = [0, 0];
    for (let i = near.length / 3; i < weight.length; i++) {
      const [x, y] = [Math.abs(xyz[i * 3]!), Math.abs(xyz[i * 3 + 1]!)];
      if (x < 5.4 && y < 5.4) behind += weight[i]!;
      else if (x > 6.3) beside += weight[i]!;
    }
    expect(behind).toBe(0);
    expect(beside).toBeGreaterThan(1000);
  });

  test("the camera nearest its image centre wins; the first of equals", () => {
    const xyz = Float32Array.of(0, 0, 10);
    const winner = (...cameras: CameraView[]) =>
      Math.floor(
        new PatchAssigner().assign({ ...request, xyz, representative: Int32Array.of(0), cameras }).patch[0]! /
          PATCHES,
      );
    expect(winner(view(2), view())).toBe(1);
    expect(winner(view(), view(2))).toBe(0);
    expect(winner(view(), view())).toBe(0);
  });

  test("memory of a larger scan or of more samples leaves nothing behind", () => {
    const assigner = new PatchAssigner();
    const wide = Float32Array.from(plane(8, 2, 10, 0.1));
    const full = { ...request, xyz: wide, representative: everyPoint(wide), cameras: [view()] };
    assigner.assign({ ...full, sampling: "bilinear" });
    const again = assigner.assign(full);
    const fresh = new PatchAssigner().assign(full);
    expect(again).toEqual(fresh);
    const behind = assigner.assign({
      ...full,
      xyz: Float32Array.of(0, 0, -1),
      representative: Int32Array.of(0),
    });
    expect(behind).toEqual({
      patch: Int32Array.of(0),
      weight: Float32Array.of(0),
      seenCount: 0,
      seenShare: 0,
    });
    const none = assigner.assign({ ...full, representative: new Int32Array(0) });
    expect([none.patch.length, none.seenShare]).toEqual([0, 0]);
  });

  test("an input that is no whole number of patches is the bundle's fault", () => {
    const encoder = { ...GRID, inputWidth: 450 };
    const xyz = Float32Array.of(0, 0, 5);
    const assign = () =>
      new PatchAssigner().assign({
        ...request,
        encoder,
        xyz,
        representative: Int32Array.of(0),
        cameras: [view()],
      });
    expect(assign).toThrow(Fault);
    expect(assign).toThrow("450x140 pixels must be a multiple of its patch size 14");
  });
});

describeWithPython("PatchAssigner against training/ditr_train/geometry/projection.py", () => {
  const cases: [string, PatchSampling, ResizeRule, boolean][] = [
    ["nearest", "nearest", "stretch", true],
    ["bilinear in a letterbox", "bilinear", "letterbox", true],
    ["bilinear without occlusion", "bilinear", "stretch", false],
  ];
  test.each(cases)("%s", (_, sampling, resize, occlusion) => {
    let seed = 99;
    const random = (low: number, high: number) => {
      seed = (seed * 48271) % 2147483647;
      return low + (high - low) * (seed / 2147483647);
    };
    const cameras = [
      view(0.2, -0.3, 0.1, 0, camera("plumb_bob", [-0.3, 0.1, 0.001, -0.001, -0.02, 0, 0, 0])),
      view(-0.4, 0.2, 0, 0.7, camera("rational_polynomial", [0.4, 0.1, 0, 0.001, 0.02, 0.8, 0.2, 0.03])),
      view(0, 0, -0.2, -0.9, camera("equidistant", [-0.02, 0.005, -0.003, 0.0006])),
      view(0.1, 0.1, 0.1, 0.3),
    ];
    const scattered = Array.from({ length: 4000 }, () => [random(-20, 20), random(-3, 3), random(-5, 40)]);
    const xyz = Float32Array.from([
      ...plane(3, 1.5, 8, 0.04),
      ...plane(25, 6, 25, 0.2),
      ...scattered.flat(),
      ...[NaN, 0, 5, 0, 0, Infinity],
    ]);
    const representative = everyPoint(xyz).filter((index) => index % 3 !== 1);
    const encoder = { ...GRID, resize };
    const found = new PatchAssigner().assign({ xyz, representative, cameras, encoder, sampling, occlusion });
    const { patch, weight, seen } = runReference(
      "patches_numpy.py",
      {
        points: { data: xyz, shape: [xyz.length / 3, 3] },
        representative: { data: representative, shape: [representative.length] },
      },
      {
        cameras: cameras.map(({ model, cloudToOptical }) => ({
          ...model,
          coefficients: model.coefficients.slice(0, model.distortion === "plumb_bob" ? 5 : undefined),
          lidarToCamera: [...cloudToOptical],
        })),
        ...encoder,
        sampling,
        occlusion,
      },
    );
    expect(found.patch).toEqual(patch!.data);
    expect(found.weight).toEqual(weight!.data);
    expect(found.seenShare).toBe(seen!.data[0]);
    expect(found.seenShare).toBeGreaterThan(0.3);
    expect(found.seenShare).toBeLessThan(1);
  });
});
